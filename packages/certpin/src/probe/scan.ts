import { oneOf, refuseUnknownOptions } from '../core/policy.ts';
import { checkCount, type ProbeOptions, probeKeys, readProbeOptions, type Settings } from './options.ts';
import { type ProbeReport, report } from './probe.ts';

/** `timeoutMs` is for each target, and for each attempt anew. */
export interface ScanOptions extends ProbeOptions {
  /** Targets that are asked at the same time. Default 32. */
  readonly concurrency?: number | undefined;
  /** How often a target is asked again after a failure of the network. Default 0. */
  readonly retries?: number | undefined;
  /** Longest time for all of it, in milliseconds. Default 0: no limit. */
  readonly totalTimeoutMs?: number | undefined;
  /** Reports come as they are `finished`, or in the order in which the targets were `given`. Default `finished`. */
  readonly order?: 'finished' | 'given' | undefined;
}

/** Targets, one after the other: only as many are read, and only as many reports kept, as are asked at the same time. */
export type Targets = Iterable<string> | AsyncIterable<string>;

/**
 * Asks many servers and files for their certificates, some at the same time.
 *
 * Where the signal is aborted, or `totalTimeoutMs` is over, no further target is read and the iteration ends: reports that are finished still
 * come, those of targets that are being asked do not.
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
export function scan(targets: Targets, options: ScanOptions = {}): AsyncIterableIterator<ProbeReport> {
  const { concurrency = 32, retries = 0, totalTimeoutMs = 0, order, ...others } = options;
  refuseUnknownOptions(options, [...probeKeys, 'concurrency', 'retries', 'totalTimeoutMs', 'order'], 'scan');
  return run(targets, {
    settings: readProbeOptions(others),
    concurrency: checkCount('concurrency', concurrency, 1),
    retries: checkCount('retries', retries),
    totalTimeoutMs: checkCount('totalTimeoutMs', totalTimeoutMs),
    inOrder: oneOf('order', order, ['finished', 'given']) === 'given',
  });
}

interface Plan {
  readonly settings: Settings;
  readonly concurrency: number;
  readonly retries: number;
  readonly totalTimeoutMs: number;
  readonly inOrder: boolean;
}

async function* run(
  targets: Targets,
  { settings, concurrency, retries, totalTimeoutMs, inOrder }: Plan,
): AsyncGenerator<ProbeReport, void, undefined> {
  const iterator = Symbol.asyncIterator in targets ? targets[Symbol.asyncIterator]() : targets[Symbol.iterator]();
  // One for each target that is asked: a thousand listeners on the caller's signal would be a leak.
  const attempts = new Set<AbortController>();
  // By the number of the target. Together with the attempts never more than `concurrency`.
  const finished = new Map<number, ProbeReport>();
  let read = 0;
  let yielded = 0;
  const source: { state: 'open' | 'reading' | 'ended' | 'stopped' } = { state: 'open' };
  let failure: { readonly error: unknown } | undefined;
  let wake = (): void => undefined;

  const stop = (): void => {
    source.state = 'stopped';
    for (const attempt of attempts) attempt.abort();
    wake();
  };
  const ask = async (target: string, number: number): Promise<void> => {
    const attempt = new AbortController();
    attempts.add(attempt);
    const answer = await askAgain(target, { ...settings, signal: attempt.signal }, retries);
    attempts.delete(attempt);
    if (!attempt.signal.aborted) finished.set(number, answer);
    wake();
  };
  const readOne = async (): Promise<void> => {
    source.state = 'reading';
    try {
      const next = await iterator.next();
      if (source.state !== 'reading') return;
      source.state = next.done ? 'ended' : 'open';
      if (!next.done) void ask(next.value, read++);
    } catch (error) {
      failure = { error };
      source.state = 'ended';
    }
    wake();
  };
  const take = (): ProbeReport | undefined => {
    const [number] = inOrder && source.state !== 'stopped' ? [yielded] : finished.keys();
    const found = number === undefined ? undefined : finished.get(number);
    if (found === undefined) return undefined;
    finished.delete(number as number);
    yielded++;
    return found;
  };

  const timer = totalTimeoutMs === 0 ? undefined : setTimeout(stop, totalTimeoutMs);
  settings.signal?.addEventListener('abort', stop);
  if (settings.signal?.aborted) stop();
  try {
    for (;;) {
      const found = take();
      if (found !== undefined) {
        yield found;
        continue;
      }
      if (source.state === 'stopped' || (source.state === 'ended' && attempts.size === 0)) break;
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (source.state === 'open' && attempts.size + finished.size < concurrency) void readOne();
      await woken;
    }
    if (failure !== undefined) throw failure.error;
  } finally {
    clearTimeout(timer);
    settings.signal?.removeEventListener('abort', stop);
    stop();
    // Not waited for: a source that is being read may never answer.
    void (async () => iterator.return?.())().catch(() => undefined);
  }
}

/** Failures that may be gone a moment later. */
const NETWORK =
  /^(?:E(?:CONN(?:RESET|REFUSED|ABORTED)|TIMEDOUT|HOSTUNREACH|NETUNREACH|NETDOWN|PIPE|AI_AGAIN)|ERR_CONNECT_TIMEOUT|ERR_CONNECTION_CLOSED)$/;

async function askAgain(target: string, settings: Settings, retries: number): Promise<ProbeReport> {
  for (let retry = 0; ; retry++) {
    const answer = await report(target, settings);
    if (answer.ok || retry === retries || settings.signal?.aborted || !NETWORK.test(answer.error.code)) return answer;
    await pause(250 * 2 ** Math.min(retry, 5), settings.signal);
  }
}

/** Ends early where the signal is aborted. */
function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });
}
