import { type ExitCode, type Io, printable, printJson, printText } from '../io.ts';
import type { StoreFlags } from './flags.ts';
import { loadWatch } from './load.ts';

interface NotifyFlags extends StoreFlags {
  readonly json?: true;
}

/** @throws ConfigError */
export async function sendTest(names: readonly string[], flags: NotifyFlags, io: Io): Promise<ExitCode> {
  const watch = await loadWatch(io);
  if (watch === undefined) return 2;
  const tried = await watch.testNotices(watch.readConfig(flags), names, io.env);
  for (const { receiver, outcome, seconds } of tried) {
    const { result, detail } = outcome;
    const durationMs = Math.round(seconds * 1_000);
    if (flags.json) printJson(io, { receiver, result, detail, durationMs });
    else printText(io, `${result.padEnd(9)}  ${printable(receiver)}: ${printable(detail)} (${durationMs} ms)`);
  }
  return tried.every(({ outcome }) => outcome.result === 'delivered') ? 0 : 1;
}
