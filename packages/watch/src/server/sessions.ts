import { createHash, randomBytes } from 'node:crypto';

export interface Sessions {
  /** @returns the value of the cookie */
  readonly open: (now: number) => string;
  readonly has: (id: string, now: number) => boolean;
  readonly close: (id: string) => void;
}

export const SESSION_SECONDS: number = 12 * 60 * 60;
const MOST = 1000;

/** Clients that have exchanged the token for a cookie. The ids are kept as hashes: so the time of a look-up reveals nothing. */
export function createSessions(): Sessions {
  const ends = new Map<string, number>();
  const hash = (id: string): string => createHash('sha256').update(id).digest('base64');
  return {
    open: (now) => {
      const id = randomBytes(32).toString('base64url');
      const [oldest] = ends.keys();
      if (ends.size >= MOST && oldest !== undefined) ends.delete(oldest);
      ends.set(hash(id), now + SESSION_SECONDS * 1000);
      return id;
    },
    has: (id, now) => {
      const end = ends.get(hash(id));
      if (end === undefined) return false;
      if (end > now) return true;
      ends.delete(hash(id));
      return false;
    },
    close: (id) => void ends.delete(hash(id)),
  };
}
