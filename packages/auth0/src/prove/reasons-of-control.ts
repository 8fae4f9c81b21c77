import type { RunResult } from '../run/result.ts';
import type { Control } from './control.ts';
import type { KnownValue } from './evidence.ts';
import { carriedBy, printedWithoutValues } from './known-values.ts';
import { CONNECTIONS, SERVERS } from './limits.ts';
import type { RunSummary } from './report.ts';
import type { Leavings } from './stage.ts';
import { summarize } from './summary.ts';
import type { Server } from './trial.ts';

/** What prevents a proof in the run with the genuine servers, with one sentence for each reason. */
export function reasonsOfControl(
  { run, servers, unseen }: Control,
  leavings: Leavings,
  known: readonly KnownValue[],
): string[] {
  if (run.status !== 'success') return reasonsOfFailure(run, servers, known);
  return [
    ...(servers.length === 0 ? ['the script connected to no server'] : []),
    ...(unseen > 0 ? [`the script talks to more than ${SERVERS} servers; the others were not tried`] : []),
    ...reasonsOfLeavings(leavings, servers, known),
    ...servers
      .filter(({ connections }) => connections > CONNECTIONS)
      .map(({ host, port }) => `${host}:${port}: only its first ${CONNECTIONS} connections were tried`),
  ];
}

/** What `certpin auth0 run` would show: the script's own error, what it printed, and what is missing here. */
function reasonsOfFailure(run: RunResult, servers: readonly Server[], known: readonly KnownValue[]): string[] {
  const { error, causeCode, refusedBy, printed } = summarizeControl(run, servers);
  const cause = causeCode === null || causeCode === error?.code ? '' : ` (${causeCode})`;
  const said =
    error === null
      ? ((refusedBy === null ? undefined : `it called api.${refusedBy}`) ??
        (run.findings.length === 0
          ? `it ended as ${run.status}${describeAnswer(run)}`
          : run.findings.map(({ message }) => message).join('; ')))
      : `${error.code ?? error.name}: ${error.message}`;
  const advice = run.warnings.filter(({ code }) => code === 'advice').map(({ message }) => `; ${message}`);
  // A missing setting explains only an error without a code of its own.
  const explains = (code: string): boolean => code.startsWith('module-') || causeCode === null;
  const others = run.warnings.filter(({ code }) => !/^(?:advice|module-version)$/.test(code) && explains(code));
  return [
    `the script does not succeed with the genuine server, so nothing can be proved: ${said}${cause}${advice.join('')}`,
    ...servers.flatMap(({ host, port, failure }) =>
      failure === null ? [] : [`${host}:${port} could not be reached: ${wordsOf(failure)}`],
    ),
    ...(printed.length === 0
      ? []
      : [`it printed: ${printed.map((text) => printedWithoutValues(text, known)).join(' | ')}`]),
    ...others.map(({ message }) => message),
  ];
}

/** The control run in short. If a server could not be reached, that is the cause, whatever the script saw through the relay. */
export function summarizeControl(run: RunResult, servers: readonly Server[]): RunSummary {
  const summary = summarize(run);
  const { failure } = servers.find((server) => server.failure !== null) ?? {};
  return run.status === 'success' || !failure ? summary : { ...summary, causeCode: failure.code ?? summary.causeCode };
}

/** If a name has several addresses, Node reports an error for each. */
function wordsOf(error: Error): string {
  const errors: readonly Error[] = error instanceof AggregateError ? error.errors : [error];
  return errors.map(({ message }) => message).join('; ');
}

function describeAnswer({ outcome }: RunResult): string {
  return outcome.type === 'callback'
    ? `: callback(${['null', ...outcome.values.map((value) => JSON.stringify(value))].join(', ')})`
    : '';
}

/** What left the process without a relay. A name can contain any data, so none is repeated. */
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
