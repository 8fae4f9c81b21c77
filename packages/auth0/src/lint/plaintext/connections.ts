import { type Connection, isOfCertpin } from '../clients.ts';
import { isLocalHost, isLocalUrl } from '../local.ts';
import type { Values } from '../values.ts';
import { plaintextDatabase } from './databases.ts';
import { type LdapCall, plaintextLdap } from './ldap.ts';
import { plaintextMail } from './mail.ts';
import type { Plaintext, Within } from './plaintext.ts';
import { plaintextRedis } from './redis.ts';

/** What the whole file says. */
interface File {
  readonly values: Values;
  readonly assigned: Within;
  readonly ldapCalls: readonly LdapCall[];
}

/** Why a connection has no TLS. undefined: it has TLS, or this cannot be seen. */
export function plaintextOf(connection: Connection, { values, assigned, ldapCalls }: File): Plaintext | undefined {
  switch (connection.driver) {
    case 'ioredis':
    case 'redis':
      return plaintextRedis(connection, values, assigned);
    case 'ldapts':
    case 'ldapjs':
      return plaintextLdap(connection, values, ldapCalls);
    case 'nodemailer':
      return plaintextMail(connection, values);
    default:
      return plaintextDatabase(connection, values, assigned);
  }
}

/** certpin's own ways: a stream that makes TLS itself, or the end of a pinned connection. */
export function isPinned({ driver, config }: Connection, values: Values): boolean {
  if (config === undefined) return false;
  const { entries } = config;
  const options = values.of(entries.get('options')?.value);
  // In node-redis, `socket` holds its options.
  const takesStream = driver !== 'redis' && ['stream', 'socket', 'connector'].some((name) => entries.has(name));
  return (
    takesStream ||
    (options.kind === 'object' && options.entries.has('connector')) ||
    ['host', 'server', 'path', 'socketPath', 'url', 'proxyHost'].some((name) =>
      isOfCertpin(values.of(entries.get(name)?.value)),
    )
  );
}

/** On the same machine, nobody is on the way. A script of Auth0 never runs on the machine of the database. */
export function isLocal({ config, url }: Connection, values: Values): boolean {
  if (config?.entries.has('socketPath')) return true;
  const host = values.of(config?.entries.get('host')?.value ?? config?.entries.get('server')?.value);
  if (host.kind === 'text') return isLocalHost(host.text);
  if (url === undefined) return false;
  // Server=tcp:localhost,1433;Database=app
  const server = /(?:^|;)\s*(?:server|data source|address|addr)\s*=\s*(?:tcp:)?([^;,\\]*)/i.exec(url)?.[1]?.trim();
  return server === undefined ? isLocalUrl(url) : isLocalHost(server) || /^(?:\.|\(local\))$/.test(server);
}
