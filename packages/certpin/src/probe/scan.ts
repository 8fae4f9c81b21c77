import { refuseUnknownOptions } from '../core/unknown-options.ts';
import { type MapTargetsOptions, mapTargets, mapTargetsKeys, type Targets } from './map-targets.ts';
import { type ProbeOptions, probeKeys, readProbeOptions, type Settings } from './options.ts';
import { type ProbeReport, probeWith, toProbeFailure } from './probe.ts';
import type { Target } from './target.ts';

/** `timeoutMs` is for each target, and for each attempt anew. */
export interface ScanOptions extends ProbeOptions, MapTargetsOptions {}

/**
 * Asks many servers and files for their certificates, some at the same time.
 *
 * Where `totalTimeoutMs` is over, those that are being asked end with `ERR_CONNECT_TIMEOUT`, and no other is begun. Where the signal is
 * aborted, the iteration ends: reports that are finished still come, those of targets that are being asked do not.
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
  const question = (target: string | Target, own: AbortSignal) => probeWith(target, { ...settings, signal: own });
  return toReports(mapTargets(targets, question, { concurrency, retries, totalTimeoutMs, order, signal }), settings);
}

async function* toReports(
  answers: ReturnType<typeof mapTargets<string | Target, ProbeReport>>,
  { protocol }: Settings,
): AsyncGenerator<ProbeReport, undefined, undefined> {
  for await (const asked of answers)
    yield asked.ok ? asked.answer : toProbeFailure(asked.target, asked.error, protocol);
}
