import type { PinsDocument } from '@certpin/pins-file';
import type { Management } from '../tenant/management.ts';
import type { JournalLine } from './journal.ts';
import type { Learned } from './learned.ts';
import type { Values } from './values.ts';

/** What every step of a plan is made from. */
export interface Context {
  readonly document: PinsDocument;
  readonly journal: readonly JournalLine[];
  readonly values: Values;
  /** Options of a connection that may be lost. */
  readonly drop: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** The same of places in a tenant. */
export interface TenantContext extends Context {
  readonly management: Management;
  readonly learned: Learned | undefined;
}
