import { refuseUnknownOptions } from '../core/unknown-options.ts';
import { type MapTargetsOptions, mapTargets, mapTargetsKeys, type Targets } from './map-targets.ts';
import { type ProbeOptions, probeKeys, readProbeOptions, type Settings } from './options.ts';
import { type ProbeReport, probeWith, toProbeFailure } from './probe.ts';
import { findTargets } from './srv.ts';
import { type Target, toTarget } from './target.ts';

/** `timeoutMs` applies to each attempt of each target. */
export interface ScanOptions extends ProbeOptions, MapTargetsOptions {}

/**
 * Asks many servers and files for their certificates, some at the same time.
 *
 * When `totalTimeoutMs` is over, targets under way end with `ERR_CONNECT_TIMEOUT`, and no other is begun. If the signal is aborted, the
 * iteration ends: finished reports still come, and targets under way are dropped.
 *
 * ```ts
 * import { scan } from 'certpin/probe';
 * for await (const report of scan(['db.example.com:5432', 'ldap.example.com:389'], { retries: 1 })) {
 *   console.log(report.target, report.ok ? report.certificate.sha256 : report.error.message);
 * }
 * ```
 *
 * @throws CertpinError `ERR_OPTION_INVALID`, at once; what `targets` throws, from the iteration
 */
export function scan(targets: Targets<string | Target>, options: ScanOptions = {}): AsyncIterableIterator<ProbeReport> {
  refuseUnknownOptions(options, [...probeKeys, ...mapTargetsKeys], 'scan');
  const { concurrency, retries, totalTimeoutMs, order, signal, ...others } = options;
  const settings = readProbeOptions(others);
  const question = (target: string | Target, own: AbortSignal) =>
    askEach(target, { ...settings, signal: own }, retries);
  return toReports(mapTargets(targets, question, { concurrency, retries, totalTimeoutMs, order, signal }), settings);
}

/** Servers of one cluster that are asked at the same time. */
const SERVERS_AT_A_TIME = 8;

/** A target that stands for several servers gets a report for each. */
async function askEach(
  target: string | Target,
  settings: Settings,
  retries: number | undefined,
): Promise<readonly ProbeReport[]> {
  const read = toTarget(target);
  if (!('srvName' in read)) return [await probeWith(read, settings)];
  const { signal, protocol } = settings;
  const ask = (server: Target, own: AbortSignal) => probeWith(server, { ...settings, signal: own });
  const how = { concurrency: SERVERS_AT_A_TIME, retries, order: 'given', signal } as const;
  const reports: ProbeReport[] = [];
  for await (const asked of mapTargets(await findTargets(read, settings), ask, how))
    reports.push(asked.ok ? asked.answer : toProbeFailure(asked.target, asked.error, protocol));
  if (signal?.aborted) throw signal.reason;
  return reports;
}

async function* toReports(
  answers: ReturnType<typeof mapTargets<string | Target, readonly ProbeReport[]>>,
  { protocol }: Settings,
): AsyncGenerator<ProbeReport, undefined, undefined> {
  for await (const asked of answers) {
    if (asked.ok) yield* asked.answer;
    else yield toProbeFailure(asked.target, asked.error, protocol);
  }
}
