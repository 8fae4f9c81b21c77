import { closeSync, constants, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { DeliverError } from './deliver-error.ts';
import { besideOf } from './journal.ts';

/** What `certpin auth0 learn` has seen of a tenant. null: it could not be measured. */
export interface Learned {
  /** UTC. */
  readonly measuredAt: string;
  /** Whether the ciphertext of `configuration` can be sent back and keeps its meaning. */
  readonly echo: boolean | null;
  /** Whether a secret that is sent without its value keeps it. */
  readonly nameOnlySecrets: boolean | null;
  /** What happens to `realms` that a PATCH leaves out. */
  readonly realms: 'kept' | 'changed' | null;
  /** From a write until a login was first served with the new configuration. */
  readonly firstSeenSeconds: number | null;
  /** From a write until a container that was there before it last served a login. */
  readonly oldestContainerSeconds: number | null;
  /** How long it was watched. Older containers may still live. */
  readonly watchedSeconds: number;
}

interface LearnedFile {
  readonly version: 1;
  readonly tenants: Readonly<Record<string, Learned>>;
}

/** What is known of one tenant. undefined: nothing. @throws DeliverError if the file cannot be read */
export function readLearned(pinsFile: string, tenant: string): Learned | undefined {
  const { tenants } = readAll(pinsFile);
  return Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined;
}

/** Writes in one step. What the file says of other tenants stays. @returns the path of the file */
export function writeLearned(pinsFile: string, tenant: string, learned: Learned): string {
  const path = besideOf(pinsFile).learned;
  const { tenants } = readAll(pinsFile);
  const content: LearnedFile = { version: 1, tenants: { ...tenants, [tenant]: learned } };
  const draft = `${path}.draft`;
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW = 0 } = constants; // so that no link leads to another file
  const descriptor = openSync(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
  try {
    writeFileSync(descriptor, `${JSON.stringify(content, null, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, path);
  return path;
}

/** Checks only what decisions depend on. */
function isLearned(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { echo = null, nameOnlySecrets = null, oldestContainerSeconds: oldest = null } = value as Partial<Learned>;
  const isAnswer = (one: unknown): boolean => one === null || typeof one === 'boolean';
  const isTime = oldest === null || (typeof oldest === 'number' && oldest >= 0 && oldest <= LONGEST_WATCH_SECONDS);
  return isAnswer(echo) && isAnswer(nameOnlySecrets) && isTime;
}

/** Nobody watches for a year. */
const LONGEST_WATCH_SECONDS = 366 * 86_400;

function readAll(pinsFile: string): LearnedFile {
  const path = besideOf(pinsFile).learned;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { version: 1, tenants: {} };
    throw error;
  }
  try {
    const read = JSON.parse(text) as Partial<LearnedFile>;
    const tenants: unknown = read.tenants;
    const isGood = typeof tenants === 'object' && tenants !== null && Object.values(tenants).every(isLearned);
    if (read.version === 1 && isGood) return read as LearnedFile;
  } catch {
    // Reported below.
  }
  throw new DeliverError(
    'ERR_PLACE',
    `${path}: certpin auth0 learn has not written this; remove the file, and run certpin auth0 learn again`,
  );
}
