import type { ProofReport } from '@certpin/auth0';
import type { Command } from 'commander';
import { renderProof } from '../auth0/render-proof.ts';
import { addScriptOptions, createFlagReader, orExplain, type ScriptFlags } from '../auth0/script-options.ts';
import { type ExitCode, type Io, printJson, printText, stdoutColors, withProgress } from '../io.ts';

const command = 'auth0 prove';

interface ProveFlags extends ScriptFlags {
  readonly json?: true;
}

const description = `Ask whether a script gives anything away to a server that is not the genuine one.

The script runs with its genuine server first, and has to succeed: give it a user that exists, and
the right password. Then it runs with impostors in that server's place, on this machine:

  another-key           everything of the certificate, and of its issuers, copied but the keys
  self-signed           the same leaf, issued by itself
  genuine-chain         the same leaf with another key, followed by the genuine chain
  genuine-issuer        the same, as if the genuine certificate had issued it
  trusted-ca            the same names, issued by a CA that every trust list of the script takes
  trusted-namesake      the same, and that CA has the name of the genuine one
  trusted-chain         as trusted-ca, followed by the genuine chain
  another-name          a certificate of that CA for another name
  asked-name            a certificate of that CA for the name that the script asks for
  common-name           the same, with the name only as common name
  expired               a certificate of that CA for the same names that has expired
  expiring              a certificate of that CA that expires while the script connects
  renewed               the same names again, valid for longer, with a key of another kind
  stolen-certificate    the genuine certificate, without its key
  plaintext             no TLS

And trusted-ca after a first connection that is reset, refused or left without an answer; at a
second login in one container; and in the place of all servers at once. A connection without an
answer is watched up to the time limit, so a proof takes 20 s where the script does not give up.

It is called held if no impostor got a byte, the script reported success with none of them, and it
looked at what belongs to one certificate only: its SHA-256, its bytes, its public key. If nothing
is proved, the report gives the reasons, and what the script printed. An impostor
takes every login and counts what it is told. Nothing of that leaves this machine, and no value is
repeated in the report. The script itself is not changed.`;

const examples = `
Examples:
  certpin auth0 prove login.js --user ada@example.com --config-file config.json
  certpin auth0 prove login.js --user ada@example.com --password-env PW --config DB_PINS --json
  certpin auth0 prove get_user.js --user ada@example.com --node 18
  certpin auth0 prove post-login.js --secret API_PINS=AABB… --event event.json

Exit code: 0 held, against the impostors that the report names; 1 something reached an impostor;
2 nothing did, and something is missing for a proof, or it could not be asked.`;

const exitCodes: Readonly<Record<ProofReport['finding'], ExitCode>> = { held: 0, leaked: 1, unproved: 2 };

export function defineAuth0Prove(group: Command, io: Io, finish: (code: ExitCode) => void): void {
  const defined = group
    .command('prove')
    .summary('ask whether a script gives anything away to a wrong server')
    .description(description)
    .argument('<script>', 'file');
  addScriptOptions(defined)
    .option('--json', 'print the report as one JSON object')
    .usage('[options] <script>')
    .addHelpText('after', examples)
    .action(async (script: string, flags: ProveFlags) =>
      finish(await orExplain(io, () => proveScript(script, flags, io))),
    );
}

async function proveScript(script: string, flags: ProveFlags, io: Io): Promise<ExitCode> {
  const { prove, readScript, refuseUnusedOptions } = await import('@certpin/auth0');
  const reader = createFlagReader(flags, io, command);
  const { container, run } = reader.read();
  const source = readScript(script);
  refuseUnusedOptions(source, run);
  const report = await reader.call(run, (options) =>
    withProgress(
      io,
      'running the script with its server, and with impostors ...',
      prove(source, { ...container, ...options }),
    ),
  );
  if (flags.json) printJson(io, report);
  else printText(io, renderProof(report, stdoutColors(io)));
  return exitCodes[report.finding];
}
