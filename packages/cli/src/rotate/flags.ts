import type { DeliveryFlags } from '../auth0/deliveries.ts';
import { readSeconds } from '../command-line/options.ts';
import { UsageError } from '../failure.ts';
import type { PasswordFlags } from '../files/password.ts';

export interface RotateFlags {
  readonly file: string;
  readonly json?: true;
}

interface AskingFlags extends RotateFlags {
  readonly timeout?: string;
  readonly yes?: true;
}

export interface StartFlags extends AskingFlags, PasswordFlags {
  readonly next: string;
  readonly key?: string;
  readonly publicKey?: true;
  readonly anyName?: true;
  readonly leaked?: string;
  readonly settle?: string;
}

export interface MoveFlags extends AskingFlags, Omit<DeliveryFlags, 'json' | 'file' | 'timeout'> {
  readonly values?: string;
  readonly allowCommands?: true;
  readonly unreached?: string[];
  readonly drop?: string[];
  readonly byHand?: true;
  readonly acceptChange?: true;
  readonly reason?: string;
  /** false: `--no-canary`.. */
  readonly canary?: boolean;
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `24h`, `30m`, `0s`: in seconds, thirty days at most. @throws UsageError */
export function readSettle(text: string): number {
  const [, count, unit = ''] = /^(0|[1-9]\d{0,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (units[unit] ?? Number.NaN);
  if (seconds <= 30 * 86_400) return seconds;
  throw new UsageError('--settle takes a time up to 30d: 24h, 30m', 'rotate start');
}

/** Of one address. @throws UsageError */
export function readTimeout(text: string | undefined): number | undefined {
  return text === undefined ? undefined : readSeconds(text, '--timeout', 'rotate');
}
