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

First, the script runs with its genuine server, and must succeed: give it an existing user and the
right password. Then it runs with impostors in the place of that server, on this machine:

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

trusted-ca also comes after a first connection that is reset, refused or not answered. It comes at a
second login in one container, and takes the place of all servers at once. A connection without an
answer is watched up to the time limit. So a proof takes 20 s if the script does not give up.

The result is held if no impostor got a byte and the script reported success with none of them. It
must also have looked at something that only one certificate has: its SHA-256, its bytes, or its
public key. If nothing is proved, the report gives the reasons, and what the script printed.

An impostor accepts every login and counts what it receives. Nothing of that leaves this machine, and
the report repeats no value. The script itself is not changed.`;

const examples = `
Examples:
  certpin auth0 prove login.js --user ada@example.com --config-file config.json
  certpin auth0 prove login.js --user ada@example.com --password-env PW --config DB_PINS --json
  certpin auth0 prove get_user.js --user ada@example.com --node 18
  certpin auth0 prove post-login.js --secret API_PINS=AABB… --event event.json

Exit code: 0 held, against the impostors that the report names. 1 something reached an impostor.
2 nothing did, but a proof was not possible, or the question could not be asked.`;

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
