import type { ProbeOptions } from 'certpin/probe';
import type { Command } from 'commander';
import { UsageError } from './failure.ts';

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
  return { timeoutMs: timeout === undefined ? undefined : toMilliseconds(timeout, command), servername };
}

/** The text is not repeated: what stands in the wrong place may be anything. */
function toMilliseconds(text: string, command: string): number {
  const milliseconds = Math.ceil(Number(text) * 1000);
  if (/^\d+(?:\.\d+)?$/.test(text) && milliseconds <= 86_400_000) return milliseconds;
  throw new UsageError('--timeout takes a number of seconds, up to 86400; 0 for no limit', command);
}
