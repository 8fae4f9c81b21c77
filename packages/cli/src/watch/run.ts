import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { statuses } from '@certpin/pins-file';
import type * as Watch from '@certpin/watch';
import { UsageError } from '../failure.ts';
import { type ExitCode, type Io, printable, printError, printSummary, printText, printWarning } from '../io.ts';
import { readVersion } from '../version.ts';
import type { WatchFlags } from './flags.ts';
import { loadWatch } from './load.ts';
import { counted, outcomeOfState } from './words.ts';

/** @throws UsageError, and the reason if it cannot begin */
export async function runWatch(flags: WatchFlags, io: Io): Promise<ExitCode> {
  const intervalSeconds = flags.interval === undefined ? undefined : toSeconds(flags.interval);
  const package_ = await loadWatch(io);
  if (package_ === undefined) return 2;
  const { readConfig, printUnit, UNIT_STORE, createLog, watch, watchAsWorker, watchOnce } = package_;
  const config = readConfig({ ...flags, intervalSeconds, usualStore: flags.printUnit ? UNIT_STORE : undefined });
  if (flags.printConfig) {
    printText(io, JSON.stringify(config, null, 2));
    return 0;
  }
  if (flags.printUnit) {
    // A service starts in another folder.
    const configFile = flags.config ?? (existsSync('certpin.watch.json') ? 'certpin.watch.json' : undefined);
    const file = flags.file ?? (configFile === undefined ? config.file : undefined);
    const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path));
    const { store } = config;
    const isUsual = 'sqlite' in store && store.sqlite === UNIT_STORE;
    const places = { config: absolute(configFile), file: absolute(file), storePinsFile: absolute(flags.storePinsFile) };
    const program = [process.execPath, ...(process.argv[1] === undefined ? [] : [process.argv[1]])];
    io.stdout(printUnit({ program, ...places, store, isStoreConfigured: flags.store === undefined && !isUsual }));
    return 0;
  }
  const stop = new AbortController();
  const end = (): void => stop.abort();
  const letGo = [io.onInterrupt(end), io.onSignal?.('SIGTERM', end)];
  const log = flags.once ? warnOfNotices(io) : createLog(io.stderr);
  const host = { log, version: readVersion(), stop: stop.signal, env: io.env };
  try {
    if (flags.once) return report(await watchOnce(config, host), flags, io, stop.signal.aborted);
    if (flags.worker) {
      await watchAsWorker(config, host);
      return 0;
    }
    await watch(config, { ...host, onReload: (reload) => letGo.push(io.onSignal?.('SIGHUP', reload)) });
    return 0;
  } finally {
    for (const one of letGo) one?.();
  }
}

/** After one cycle, the answers are printed, and not the events. But a failing receiver must be reported. */
function warnOfNotices(io: Io): Watch.Log {
  return (event, { receiver, error } = {}) => {
    if (!/^notices?-/.test(event) || error === undefined) return;
    printWarning(io, `notices: ${receiver === undefined ? '' : `${receiver}: `}${error}`);
  };
}

/** Reports and ends like `certpin check --file`. */
function report(
  { found, targets, isCutOff, fileError, failed }: Watch.OnceResult,
  { quiet }: WatchFlags,
  io: Io,
  isInterrupted: boolean,
): ExitCode {
  const width = Math.max(0, ...found.map(({ label }) => label.length));
  if (!quiet) {
    for (const { label, state, reason } of found) {
      printText(io, `${state.padEnd(13)}  ${printable(label).padEnd(Math.min(width, 60))}  ${printable(reason)}`);
    }
    const counts = [...statuses, 'rotated' as const].map(
      (state) => [state, found.filter((one) => one.state === state).length] as const,
    );
    const missing = targets - found.length;
    const unasked = missing > 0 ? [`${missing} not asked`] : [];
    printSummary(io, [...counted(targets, counts), ...unasked].join(', '));
  }
  if (isInterrupted) return 130;
  if (isCutOff) printError(io, 'no server can be reached: this machine itself is cut off');
  if (fileError !== null) printError(io, `${fileError}; the targets of the last good one were asked`);
  for (const { label, error } of failed) printError(io, `${label} could not be asked: ${error}`);
  if (targets === 0) printError(io, 'there is no target in the pins file: nothing is watched');
  const outcomes = found.map(({ state }) => outcomeOfState(state));
  if (outcomes.includes('no')) return 1;
  return fileError !== null || targets === 0 || found.length < targets || outcomes.includes('unasked') ? 2 : 0;
}

function toSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 10 && seconds <= 7 * 86_400) return seconds;
  throw new UsageError('--interval takes a number of seconds, from 10 to 604800', 'watch');
}
