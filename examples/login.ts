import { compare } from 'bcryptjs';
import { pinnedPg } from 'certpin/pg';
import pg from 'pg';
import type { PinnedDatabase } from './orm/database.ts';

/** What a custom database script answers with. */
export interface Profile {
  readonly user_id: string;
  readonly email: string;
}

/** A `login(email, password, callback)` in the style of a custom database script, whose database has a self-signed certificate. */
export function createLogin({ pins, ...database }: PinnedDatabase) {
  const pool = new pg.Pool(pinnedPg({ ...database, max: 2 }, { pins }));
  pool.on('error', () => undefined); // an idle connection was lost; the next query makes a new one

  async function check(email: string, password: string): Promise<Profile> {
    const query = pool.query('SELECT id, email, password_hash FROM users WHERE email = $1', [email]);
    const { rows } = await query.catch((cause) => {
      // What went wrong names hosts and certificates: it goes on as the cause, for the log, and not into the text, which the person
      // who logs in may be shown.
      throw new Error('login is not possible at the moment', { cause });
    });
    const [user] = rows;
    if (user === undefined || !(await compare(password, user.password_hash)))
      throw new Error('wrong email or password');
    return { user_id: String(user.id), email: user.email };
  }

  function login(email: string, password: string, callback: (error: Error | null, profile?: Profile) => void): void {
    check(email, password).then(
      (profile) => callback(null, profile),
      (error) => callback(error),
    );
  }
  return Object.assign(login, { close: () => pool.end() });
}
