import { loadPinsFile } from '@certpin/pins-file';
import { readCredentials } from '../tenant/credentials.ts';
import { type Lesson, learnTenant } from '../tenant/learn.ts';
import { Management } from '../tenant/management.ts';
import type { DeliverOptions } from './deliver-options.ts';
import { type Learned, writeLearned } from './learned.ts';

export interface LearnDeliveryOptions extends Pick<DeliverOptions, 'fetch' | 'env' | 'onProgress' | 'signal'> {
  /** How long logins are watched for containers with the old configuration. */
  readonly watchMs: number;
  /** The pause between two logins. Default: 2 seconds. */
  readonly everyMs?: number | undefined;
}

export interface TenantLesson extends Learned {
  readonly tenant: string;
  /** Where it was written down. */
  readonly path: string;
  /** Why something could not be measured. */
  readonly notes: readonly string[];
}

/**
 * Measures undocumented behaviour of the tenant of the credentials, and writes it beside the pins file.
 *
 * @throws PinsFileError, TenantError, DeliverError; the signal's reason
 */
export async function learn(pinsFile: string, options: LearnDeliveryOptions): Promise<TenantLesson> {
  loadPinsFile(pinsFile); // A mistake in its name is reported before anything is made.
  const { env, fetch, signal, onProgress, watchMs, everyMs = 2_000 } = options;
  const credentials = readCredentials(env);
  const management = new Management(credentials, { fetch, signal, onWait: onProgress });
  const lesson: Lesson = await learnTenant(management, { watchMs, everyMs, onProgress, signal });
  const { notes, ...answers } = lesson;
  const learned: Learned = { measuredAt: new Date().toISOString(), ...answers };
  const path = writeLearned(pinsFile, credentials.domain, learned);
  return { tenant: credentials.domain, path, ...learned, notes };
}
