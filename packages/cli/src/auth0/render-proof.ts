import { basename } from 'node:path';
import type { ProofReport, ServerProof, Trial } from '@certpin/auth0';
import { type Colors, printable } from '../io.ts';

const headlines: Readonly<Record<ProofReport['finding'], string>> = {
  held: 'no byte reached any of the impostors below',
  leaked: 'something reached an impostor',
  unproved: 'nothing reached an impostor, and nothing is proved',
};

/** The finding, its reasons, and what each impostor got. */
export function renderProof(
  { script, kind, name, node, finding, reasons, servers, together, durationMs }: ProofReport,
  colors: Colors,
): string {
  const role = kind === 'database' || kind === 'rule' ? name : `${kind} ${name}`;
  const paint = { held: colors.green, leaked: colors.red, unproved: colors.yellow }[finding];
  return [
    `${printable(basename(script))} (${role}), Node.js ${node}, ${durationMs} ms`,
    `${paint(finding)}: ${headlines[finding]}`,
    ...reasons.map((reason) => `  ${printable(reason)}`),
    ...servers.flatMap((server) => [headOf(server), ...server.trials.map((trial) => rowOf(trial, colors))]),
    ...(together.length === 0 ? [] : ['  all servers at once', ...together.map((trial) => rowOf(trial, colors))]),
  ].join('\n');
}

function headOf({ host, port, speech, tls, certificateSha256 }: ServerProof): string {
  const protocol = speech === 'http' ? (tls ? 'tls' : 'plaintext') : speech;
  const certificate = certificateSha256 === null ? '' : `, genuine certificate SHA-256: ${certificateSha256}`;
  return `  ${printable(host)}:${port} (${protocol})${certificate}`;
}

/** Wide enough for `trusted-ca, after-refusal`. */
const COLUMN = 27;

function rowOf({ impostor, moment, passedOn, bytes, kinds, connections, run }: Trial, colors: Colors): string {
  const who = moment === 'at-once' ? impostor : `${impostor}, ${moment}`;
  const which = passedOn === 0 ? '' : `, connection ${passedOn + 1}`;
  const got = connections === 0 ? 'not asked' : `${bytes} bytes`;
  const what = kinds.length === 0 ? '' : ` (${kinds.join(', ')})`;
  const { error, causeCode, refusedBy } = run;
  const ended = run.findings.find(({ code }) => code === 'time-limit' || code === 'blocked')?.code;
  const said =
    error === null
      ? (ended ?? (refusedBy === null ? `the script ended as ${run.status}` : `api.${refusedBy}`))
      : (error.code ?? `${error.name}: ${error.message}`);
  const cause = causeCode === null || causeCode === said ? '' : ` (${printable(causeCode)})`;
  return `    ${who.padEnd(COLUMN)}${(bytes > 0 ? colors.red : colors.green)(`${got}${printable(what)}`)}${which}; ${printable(said)}${cause}`;
}
