import { createHash } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import pg from 'pg';

export interface TechniqueTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** 64 upper-case hex digits. */
  readonly fingerprint: string;
  readonly ca?: string;
  readonly email: string;
}

export interface TechniqueReport {
  readonly outcome: { readonly connected: true } | { readonly connected: false; readonly error: string };
  readonly uncaught: readonly string[];
}

/**
 * The widespread technique, in our own words, for the reader to see what it does: the ordinary verification stays on, and Node's
 * identity callback compares the fingerprint and throws. Not to be copied: `certpin/pg` does what it means to do.
 */
export async function tryThrowingCheck({
  fingerprint,
  ca,
  email,
  ...target
}: TechniqueTarget): Promise<TechniqueReport> {
  const uncaught: string[] = [];
  const note = (error: Error): void => {
    uncaught.push(error.message);
  };
  process.on('uncaughtException', note); // a platform that runs other people's code has such a handler
  const client = new pg.Client({
    ...target,
    ssl: {
      ...(ca === undefined ? {} : { ca }),
      rejectUnauthorized: true,
      checkServerIdentity: (_host: string, certificate: PeerCertificate) => {
        const presented = createHash('sha256').update(certificate.raw).digest('hex').toUpperCase();
        // certpin-lint-disable-next-line no-throw-in-check-server-identity -- the demonstration shows what comes of it
        if (presented !== fingerprint) throw new Error('another fingerprint');
        return undefined;
      },
    },
  });
  try {
    await client.connect();
    await client.query('SELECT password_hash FROM users WHERE email = $1', [email]);
    await client.end();
    return { outcome: { connected: true }, uncaught };
  } catch (error) {
    return { outcome: { connected: false, error: (error as Error).message }, uncaught };
  } finally {
    process.off('uncaughtException', note);
  }
}
