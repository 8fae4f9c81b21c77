import type { LookupFunction } from 'node:net';
import type { DeliveryOutcome } from './delivered.ts';

export interface DeliverOptions {
  /** How the tenant is called. */
  readonly fetch: typeof globalThis.fetch;
  /** The credentials, under the names of the Deploy CLI, and the canary. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How the names of targets are looked up. */
  readonly lookup?: LookupFunction | undefined;
  /** The time limit for one address of a target, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  readonly allowCommands?: boolean | undefined;
  /** A file of values that nobody can read in the tenant. */
  readonly values?: string | undefined;
  /** Addresses that need not be reached, and targets by their name. */
  readonly unreached?: readonly string[] | undefined;
  /** Options of a connection that may be lost. */
  readonly drop?: readonly string[] | undefined;
  /** `none`: write by the API although another tool seems to own the tenant. */
  readonly owner?: 'none' | undefined;
  readonly verifyLogin?: boolean | undefined;
  /** Plan, ask the servers, and write nothing. */
  readonly dryRun?: boolean | undefined;
  /** Asked before the first write. Default: yes. */
  readonly confirm?: ((outcomes: readonly DeliveryOutcome[]) => Promise<boolean>) | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}
