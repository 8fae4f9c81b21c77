import type { ProbeOptions } from 'certpin/probe';
import type { Command } from 'commander';
import { UsageError } from './failure.ts';
import type { ScanOptions } from './scan.ts';

/** The options of every command that connects. */
export interface ConnectionFlags {
  readonly timeout?: string;
  readonly servername?: string;
}

export function addConnectionOptions(command: Command): Command {
  return command
    .option('--timeout <seconds>', 'longest time for one server; 0 for no limit (default: 10)')
    .option('--servername <name>', 'the name to send to the server (SNI), where it differs from the host');
}

/** @throws UsageError */
export function toProbeOptions({ timeout, servername }: ConnectionFlags, command: string): ProbeOptions {
  return { timeoutMs: timeout === undefined ? undefined : toMilliseconds('--timeout', timeout, command), servername };
}

/** The options of a command that asks many targets. */
export interface ScanFlags extends ConnectionFlags {
  readonly concurrency?: string;
  readonly retries?: string;
  readonly totalTimeout?: string;
}

export function addScanOptions(command: Command): Command {
  return addConnectionOptions(command)
    .option('--total-timeout <seconds>', 'longest time for all targets together; 0 for no limit (default: 0)')
    .option('--concurrency <number>', 'targets that are asked at the same time (default: 8)')
    .option('--retries <number>', 'how often to ask again after a failure of the network (default: 0)');
}

/** @throws UsageError */
export function toScanOptions(
  { totalTimeout = '0', concurrency = '8', retries = '0', ...flags }: ScanFlags,
  command: string,
): Omit<ScanOptions, 'signal' | 'format' | 'files'> {
  return {
    ...toProbeOptions(flags, command),
    totalTimeoutMs: toMilliseconds('--total-timeout', totalTimeout, command),
    concurrency: toInteger('--concurrency', concurrency, [1, 1000], command),
    retries: toInteger('--retries', retries, [0, 10], command),
  };
}

/** The text is not repeated: what stands in the wrong place may be anything. */
function toMilliseconds(option: string, text: string, command: string): number {
  const milliseconds = Math.ceil(Number(text) * 1000);
  if (/^\d+(?:\.\d+)?$/.test(text) && milliseconds <= 86_400_000) return milliseconds;
  throw new UsageError(`${option} takes a number of seconds, up to 86400; 0 for no limit`, command);
}

function toInteger(option: string, text: string, [least, most]: [number, number], command: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new UsageError(`${option} takes a number from ${least} to ${most}`, command);
}
