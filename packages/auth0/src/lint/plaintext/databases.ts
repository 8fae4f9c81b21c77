import { type Connection, encryptsByDefault, isSqlServer, majorOf, tlsEntry } from '../clients.ts';
import { HOLE } from '../markers.ts';
import type { Values } from '../values.ts';
import { isOff, type Plaintext, switchedOffBy, type Within } from './plaintext.ts';

/** Why a connection of a database has no TLS. */
export function plaintextDatabase(connection: Connection, values: Values, assigned: Within): Plaintext | undefined {
  const options = values.of(connection.config?.entries.get('options')?.value);
  const later = options.kind === 'object' ? assigned(options, 'encrypt') : undefined;
  const entry = later ?? tlsEntry(connection, values);
  if (entry !== undefined) return isOff(entry, values) ? switchedOffBy(entry) : undefined;
  const hasNone = isSqlServer(connection) ? sqlServerHasNone(connection, values) : saysNothing(connection);
  return hasNone ? { id: 'none', node: connection.node } : undefined;
}

function sqlServerHasNone(connection: Connection, values: Values): boolean {
  const { driver, version, config, url, complete } = connection;
  if (url !== undefined && driver === 'mssql') {
    if (/(?:^|[;?&])\s*encrypt\s*=\s*(?:false|no|optional)\b/i.test(url)) return true;
    // Before 7, a connection string without this parameter means false.
    const isWhole = !url.startsWith(HOLE) && !url.endsWith(HOLE);
    return complete && isWhole && majorOf(version) < 7 && !/(?:^|[;?&])\s*encrypt\s*=/i.test(url);
  }
  const options = values.of(config?.entries.get('options')?.value);
  const isSeen = config?.entries.has('options') !== true || (options.kind === 'object' && !options.open);
  return complete && isSeen && !encryptsByDefault(connection);
}

/** Whether a connection names its server, and no place that could set TLS does so. */
function saysNothing({ driver, config, url, complete }: Connection): boolean {
  const isAddressed =
    url !== undefined || ['host', 'server', 'socketPath', 'user'].some((key) => config?.entries.has(key));
  if (!isAddressed || !complete) return false;
  if (url === undefined) return true;
  if (driver === 'mongodb' && /^mongodb\+srv:/i.test(url)) return false;
  // A hole may contain its own parameters. In the place of a password or a host it cannot.
  const query = /\?([^#]*)/.exec(url)?.[1];
  const mayHaveMore = query === undefined ? url.endsWith(HOLE) : query.includes(HOLE);
  return !mayHaveMore && !/(?:^|&)(?:ssl|tls|ssl-?mode|sslaccept)\w*=/i.test(query ?? '');
}
