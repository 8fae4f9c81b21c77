import { type Command, Option } from 'commander';
import { addFileOptions, addScanOptions } from '../command-line/options.ts';
import type { ExitCode, Io } from '../io.ts';
import { checkTrustFlags, type TrustFlags } from '../trust/flags.ts';

const description = `Add a server, or a certificate file, to a pins file: the known servers, for certpin check --file.

certpin fetches the certificate and shows it like certpin get. Then it asks whether you trust it.
Without a terminal, --yes says so. What a server presents says nothing about whose server it is.
Compare it with the server's own file first, or take the pin from that file with --from.

A target that is already in the file stays as it is while one of its pins matches. If none matches,
the certificate was replaced, or somebody is between you and the server: both look the same from
here. --yes alone accepts no such change. To rotate a certificate, --add puts the new pin beside the
old ones. --replace puts it in their place.

--from ca.pem --issuer pins a CA. Then a target may present any certificate that the CA has signed
for the target's name.

--revoke removes a pin for ever: no command adds it again. A server that presents it gets the state
revoked. This changes the file to version 2 of the format.

The file is written once, at the end. Its comments, order and form stay.`;

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

Exit code: 0 the file says what you asked for. 1 a pin has changed, is revoked or was refused, or you
said no. 2 a pin could not be fetched, asked about or written. 130 interrupted by Ctrl-C.`;

export function defineTrust(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];
  const command = program
    .command('trust')
    .summary('add servers to a pins file, after showing their fingerprints')
    .description(description)
    .argument('[target...]', 'file, host:port, host, or URL')
    .option('--file <file>', 'the pins file; certpin creates it if it does not exist', 'certpin.json')
    .option(
      '--targets-file <file>',
      'also trust the targets in a file, one a line, # comments; - for standard input',
      collect,
    )
    .option('--from <file>', "take the pin from a certificate, key or signing request, not from the server's answer")
    .option('--pins-file <file>', 'take the pins from a file with pins and # comments')
    .option('--issuer', 'with --from or --pins-file: pin it as a CA: each certificate that it signs is accepted')
    .option('--leaf', "with --from or --pins-file: it is the server's own, even if it looks like a CA's")
    .option('--accept-expired', 'accept the certificate after the end of its validity too; written into the file')
    .option('--public-key', "pin the public key, which outlives the certificate's renewal with the same key")
    .option('--note <text>', 'a text for people, written with each added target')
    .option('-y, --yes', 'do not ask; accepts no change of a pin without --add or --replace')
    .addOption(new Option('--add', 'put the pin beside the existing ones').conflicts('replace'))
    .option('--replace', 'put the pin in the place of the existing ones')
    .option('--remove', 'remove the targets from the file')
    .option('--revoke <pin>', 'remove a pin for ever, from the given targets or from all that have it', collect)
    .option('--reason <text>', 'with --revoke: the reason, written into the file')
    .addOption(
      new Option(
        '-q, --quiet',
        'with --yes: print only errors, and a summary if a target of a list is not in the file',
      ).conflicts('json'),
    )
    .option('--json', 'print one JSON object per target, one a line; nothing is asked');
  addFileOptions(addScanOptions(command))
    .usage('[options] <target...>')
    .addHelpText('after', examples)
    .action(async (targets: string[], flags: TrustFlags) => {
      checkTrustFlags(targets, flags);
      if (flags.remove || flags.revoke !== undefined) {
        const { trustLess } = await import('../trust/less.ts');
        finish(await trustLess(targets, flags, io));
        return;
      }
      const { trustTargets } = await import('../trust/targets.ts');
      finish(await trustTargets(targets, flags, io));
    });
}
