import { type Command, Option } from 'commander';
import { addScanOptions } from '../command-line/options.ts';
import { addFileOptions } from '../files/file-reader.ts';
import type { ExitCode, Io } from '../io.ts';
import type { TrustFlags } from './trust-targets.ts';

const description = `Add a server, or a certificate file, to a pins file: the known servers, for certpin check --file.

The certificate is fetched and shown as certpin get shows it. Then you are asked whether it is to
be trusted; without a terminal, --yes says so. What a server presents says nothing about whose
server it is: compare it with the server's own file first, or take the pin from there, with --from.

A target that is in the file already stays as it is while one of its pins matches. Where none
does, the certificate was replaced, or somebody is between you and the server: both look the same
from here. --yes alone accepts no such change. --add puts the new pin beside the old ones, which
is how certificates are rotated; --replace puts it in their place.

Comments, order and form of the file stay as they are.`;

const examples = `
Examples:
  certpin trust db.example.com:5432
  certpin trust db.example.com:5432 --from server.crt       the pin of the server's own file
  certpin trust db.example.com:5432 --from next.csr --add   before the certificate is replaced
  certpin trust db.example.com:5432 --replace               afterwards: the old pin goes
  certpin trust --public-key --file pins.json api.example.com smtp://mail.example.com:587
  certpin trust api.example.com --yes --json

Exit code: 0 the pin is in the file, 1 the pin has changed or you said no, 2 it could not be
fetched, asked about or written, 130 interrupted by Ctrl-C.`;

export function defineTrust(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('trust')
    .summary('add servers to a pins file, after showing their fingerprints')
    .description(description)
    .argument('<target...>', 'file, host:port, host, or URL')
    .option('--file <file>', 'the pins file, which is made where there is none', 'certpin.json')
    .option('--from <file>', "take the pin from a certificate, key or signing request, not from the server's answer")
    .option('--public-key', "pin the public key, which outlives the certificate's renewal with the same key")
    .option('-y, --yes', 'do not ask; accepts no change of a pin without --add or --replace')
    .addOption(new Option('--add', 'put the pin beside those that the target has').conflicts('replace'))
    .option('--replace', 'put the pin in the place of those that the target has')
    .option('--json', 'print one JSON object per target, one a line; nothing is asked');
  addFileOptions(addScanOptions(command))
    .usage('[options] <target...>')
    .addHelpText('after', examples)
    .action(async (targets: string[], flags: TrustFlags) => {
      const { trustTargets } = await import('./trust-targets.ts');
      finish(await trustTargets(targets, flags, io));
    });
}
