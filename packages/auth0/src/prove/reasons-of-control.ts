import type { RunResult } from '../run/result.ts';
import type { Control } from './control.ts';
import type { KnownValue } from './evidence.ts';
import { carriedBy } from './known-values.ts';
import { CONNECTIONS, SERVERS } from './limits.ts';
import { summarize } from './report.ts';
import type { Leavings } from './stage.ts';
import type { Server } from './trial.ts';

/** What in the run with the genuine servers keeps a script from being proved, one sentence each. */
export function reasonsOfControl(
  { run, servers, unseen }: Control,
  leavings: Leavings,
  known: readonly KnownValue[],
): string[] {
  if (run.status !== 'success') return [reasonOfFailure(run)];
  return [
    ...(servers.length === 0 ? ['the script connected to no server'] : []),
    ...(unseen > 0 ? [`the script talks to more than ${SERVERS} servers; the others were not tried`] : []),
    ...reasonsOfLeavings(leavings, servers, known),
    ...servers
      .filter(({ connections }) => connections > CONNECTIONS)
      .map(({ host, port }) => `${host}:${port}: only its first ${CONNECTIONS} connections were tried`),
  ];
}

function reasonOfFailure(run: RunResult): string {
  const { error, certpinCode } = summarize(run);
  const ours = certpinCode === null || certpinCode === error?.code ? '' : ` (${certpinCode})`;
  const said =
    error === null
      ? run.findings.map(({ message }) => message).join('; ')
      : `${error.code ?? error.name}: ${error.message}${ours}`;
  const advice = run.warnings.filter(({ code }) => code === 'advice').map(({ message }) => `; ${message}`);
  return `the script does not succeed with the genuine server, so nothing can be proved: ${said}${advice.join('')}`;
}

/** What left the process past all relays. A name can carry what it likes, so none is repeated. */
function reasonsOfLeavings(
  { ways, lookedUp, serverNames }: Leavings,
  servers: readonly Server[],
  known: readonly KnownValue[],
): string[] {
  const hosts = servers.map(({ host }) => host);
  const ours = new Set([...hosts, ...serverNames]);
  const strange = [...lookedUp].filter((name) => !ours.has(name));
  const carried = new Set([...hosts, ...serverNames, ...lookedUp].flatMap((name) => carriedBy(name, known)));
  return [
    ...[...ways].map((way) => `the script uses ${way}, and the proof does not see what it says there`),
    ...(strange.length > 0
      ? ['the script looks up a name that none of its servers has, and a name can carry data']
      : []),
    ...[...carried].map((label) => `the script puts ${label} into a name that goes over the network in clear`),
  ];
}
