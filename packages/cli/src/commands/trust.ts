import { type Command, Option } from 'commander';
import { addScanOptions } from '../command-line/options.ts';
import { addFileOptions } from '../files/file-reader.ts';
import type { ExitCode, Io } from '../io.ts';
import { checkTrustFlags, type TrustFlags } from './trust-flags.ts';

const description = `Add a server, or a certificate file, to a pins file: the known servers, for certpin check --file.

The certificate is fetched and shown as certpin get shows it. Then you are asked whether it is to
be trusted; without a terminal, --yes says so. What a server presents says nothing about whose
server it is: compare it with the server's own file first, or take the pin from there, with --from.

A target that is in the file already stays as it is while one of its pins matches. Where none
does, the certificate was replaced, or somebody is between you and the server: both look the same
from here. --yes alone accepts no such change. --add puts the new pin beside the old ones, which
is how certificates are rotated; --replace puts it in their place.

--from ca.pem --issuer pins a CA: every server of the list whose certificate it has signed, for the
name that is called. --revoke takes a pin out for ever: it is never added again, and a server that
presents it is told as revoked. It makes the file version 2 of the format.

The file is written once, at the end. Comments, order and form of it stay as they are.`;

const examples = `
Examples:
  certpin trust db.example.com:5432
  certpin trust db.example.com:5432 --from server.crt       the pin of the server's own file
  certpin trust db.example.com:5432 --from next.csr --add   before the certificate is replaced
  certpin trust db.example.com:5432 --replace               afterwards: the old pin goes
  certpin trust --public-key --file pins.json api.example.com smtp://mail.example.com:587
  certpin trust api.example.com --yes --json
  certpin trust --targets-file hosts.txt --yes --quiet      all of a list, in one go
  certpin trust --targets-file hosts.txt --from ca.pem --issuer
  certpin trust db.example.com:5432 --all-addresses         each server behind the name
  certpin trust --remove old.example.com
  certpin trust --revoke sha256/LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564= --reason "lost laptop"

Exit code: 0 the file says what was asked for, 1 a pin has changed, is revoked, was refused or you
said no, 2 one could not be fetched, asked about or written, 130 interrupted by Ctrl-C.`;

export function defineTrust(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];
  const command = program
    .command('trust')
    .summary('add servers to a pins file, after showing their fingerprints')
    .description(description)
    .argument('[target...]', 'file, host:port, host, or URL')
    .option('--file <file>', 'the pins file, which is made where there is none', 'certpin.json')
    .option(
      '--targets-file <file>',
      'trust the targets of a file too, one a line, # comments; - for standard input',
      collect,
    )
    .option('--from <file>', "take the pin from a certificate, key or signing request, not from the server's answer")
    .option('--pins-file <file>', 'take the pins from a file with pins and # comments')
    .option('--issuer', 'with --from or --pins-file: it is a CA, whose certificates are meant (issuerPins)')
    .option('--leaf', "with these two: it is the server's own certificate, though it is a CA's")
    .option('--accept-expired', 'the certificate is meant after the end of its validity too; the file says so')
    .option('--public-key', "pin the public key, which outlives the certificate's renewal with the same key")
    .option('--note <text>', 'for people: written with each target that is added')
    .option('-y, --yes', 'do not ask; accepts no change of a pin without --add or --replace')
    .addOption(new Option('--add', 'put the pin beside those that the target has').conflicts('replace'))
    .option('--replace', 'put the pin in the place of those that the target has')
    .option('--remove', 'take the targets out of the file')
    .option('--revoke <pin>', 'take a pin out for ever, of the targets or of all that have it', collect)
    .option('--reason <text>', 'with --revoke: why; it stands in the file')
    .addOption(new Option('-q, --quiet', 'print no answer but errors; goes with --yes').conflicts('json'))
    .option('--json', 'print one JSON object per target, one a line; nothing is asked');
  addFileOptions(addScanOptions(command))
    .usage('[options] <target...>')
    .addHelpText('after', examples)
    .action(async (targets: string[], flags: TrustFlags) => {
      checkTrustFlags(targets, flags);
      if (flags.remove || flags.revoke !== undefined) {
        const { trustLess } = await import('./trust-less.ts');
        finish(await trustLess(targets, flags, io));
        return;
      }
      const { trustTargets } = await import('./trust-targets.ts');
      finish(await trustTargets(targets, flags, io));
    });
}
