import { CertpinError, optionErrors } from '../errors.ts';

/** The content of a URL, under ioredis's names of options. */
export interface RedisUrl {
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
}

/**
 * Reads a URL. No message contains the URL, nor the error of the URL parser, because both hold a password.
 *
 * @throws CertpinError `ERR_PLAINTEXT_REFUSED` for `redis:`; `ERR_OPTION_INVALID`
 */
export function readRedisUrl(text: string, where: string): RedisUrl {
  const unreadable = (): CertpinError =>
    optionErrors(where)(
      'url',
      'the URL must be rediss://username:password@host:port/0, without parameters: give them as options',
    );
  try {
    const { protocol, username, password, hostname, port, pathname, search, hash } = new URL(text);
    if (protocol === 'redis:') throw plaintextRefused(where);
    const [, db] = /^\/?(\d*)$/.exec(pathname) ?? [];
    if (protocol !== 'rediss:' || db === undefined || search !== '' || hash !== '') throw unreadable();
    return {
      ...(hostname === '' ? {} : { host: decodeURIComponent(hostname.replace(/^\[(.*)\]$/, '$1')) }),
      ...(port === '' ? {} : { port: Number(port) }),
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      ...(db === '' ? {} : { db: Number(db) }),
    };
  } catch (error) {
    throw error instanceof CertpinError ? error : unreadable();
  }
}

function plaintextRefused(where: string): CertpinError<'ERR_PLAINTEXT_REFUSED'> {
  const message = `${where}: redis: is Redis without TLS, so there is nothing to pin; write rediss:`;
  return new CertpinError('ERR_PLAINTEXT_REFUSED', message, { protocol: 'redis:' });
}
