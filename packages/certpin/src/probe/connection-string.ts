import { invalidTarget } from './invalid-target.ts';

/** Where a connection string leads. */
export interface Place {
  /** The URL scheme of the protocol. undefined: the string does not say. */
  readonly scheme: string | undefined;
  readonly host: string;
  /** As in the string. undefined: the default. */
  readonly port: string | undefined;
}

/**
 * Reads a connection string that is not a URL: libpq's (`host=… port=… password=…`), and those of ADO.NET, ODBC and JDBC's SQL Server
 * (`Server=tcp:host,1433;…;Password=…`). Everything except host and port is dropped here.
 *
 * @returns undefined if the text is none of them, or names no host or two hosts
 * @throws CertpinError `ERR_TARGET_INVALID` for an instance of SQL Server without its port
 */
export function readConnectionString(text: string): Place | undefined {
  const sqlServer = /^jdbc:([a-z]+):\/\/([^;]*)(?:;|$)/is.exec(text);
  if (sqlServer !== null) {
    const [{ length }, scheme = '', address = ''] = sqlServer;
    const settings = readPairs(SEMICOLONS, text.slice(length));
    if (settings === undefined) return undefined;
    const host = address || settings.get('servername');
    const port = (settings.get('portnumber') ?? settings.get('port'))?.trim();
    const instance = settings.get('instancename') ?? settings.get('instance');
    return toSqlServer(host, port, { settings, scheme: scheme.toLowerCase(), isNamed: instance !== undefined });
  }
  if (FIRST_PAIR.exec(text)?.[1] !== ';') {
    const settings = readPairs(SPACES, text);
    if (settings !== undefined)
      return toPlace('postgres', settings.get('host') || settings.get('hostaddr'), settings.get('port'));
  }
  const settings = readPairs(SEMICOLONS, text);
  if (settings === undefined) return undefined;
  const hosts = hostKeys.filter((key) => settings.has(key));
  const [key = ''] = hosts;
  if (hosts.length !== 1) return undefined;
  const host = settings.get(key) ?? '';
  const port = settings.get('port');
  // Only ADO.NET's SQL Server has a port behind a comma, an instance, and these words.
  const isSqlServer = /^tcp:|[,\\]/i.test(host) || [...settings.keys()].some((word) => SQL_SERVER_WORDS.test(word));
  // The string has no pair for the port. Other databases use some of its words too. They call the server a host, or give the port as a
  // pair.
  const isLikely = key !== 'host' && port === undefined && [...settings.keys()].some((word) => LIKELY_WORDS.test(word));
  if (isSqlServer || isLikely) return toSqlServer(host, port, { settings, scheme: 'sqlserver', isNamed: false });
  return toPlace(key === 'host' && port === undefined ? 'postgres' : undefined, host, port);
}

const SQL_SERVER_WORDS = /^(?:initial catalog|integrated security)$/;

const LIKELY_WORDS =
  /^(?:encrypt|trust ?server ?certificate|multiple ?active ?result ?sets|trusted_connection|application ?intent|multi ?subnet ?failover|failover partner|column encryption setting)$/;

interface SqlServer {
  readonly settings: ReadonlyMap<string, string>;
  readonly scheme: string;
  /** Whether an instance stands among the settings. */
  readonly isNamed: boolean;
}

/** @throws CertpinError `ERR_TARGET_INVALID` for an instance without its port */
function toSqlServer(
  address: string | undefined,
  port: string | undefined,
  { settings, scheme, isNamed }: SqlServer,
): Place | undefined {
  const place = toPlace(scheme, address, port);
  if (place === undefined) return undefined;
  if (place.port === undefined && (isNamed || address?.includes('\\'))) throw refuseInstance();
  const isStrict = settings.get('encrypt')?.trim().toLowerCase() === 'strict';
  return isStrict && /^(?:sqlserver|mssql)$/.test(scheme) ? { ...place, scheme: 'mssql-strict' } : place;
}

/** The port of an instance comes from a UDP service, which no pin can protect. */
export function refuseInstance(): Error {
  return invalidTarget(
    'it names an instance of SQL Server, whose port only a service without TLS knows (UDP 1434). Give the port from SQL Server Configuration Manager, as in sqlserver://host:port',
  );
}

/** `name`, `name:port`, `name,port`, `tcp:name,port`, `name\instance`. */
const ADDRESS = /^(?:tcp:)?(\[[0-9a-f:.]+\]|[^\s:,\\/[\]]+)(?:\\[^:,]*)?(?:[:,]\s*(\d+))?$/i;

function toPlace(scheme: string | undefined, address: string | undefined, port: string | undefined): Place | undefined {
  const [, host, ownPort] = ADDRESS.exec(address?.trim() ?? '') ?? (isIpv6(address) ? [address, address] : []);
  return host === undefined ? undefined : { scheme, host: host.replace(/^\[(.*)\]$/, '$1'), port: ownPort ?? port };
}

function isIpv6(address: string | undefined): address is string {
  return address !== undefined && /^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f.]*$/i.test(address);
}

const hostKeys = ['server', 'host', 'hostname', 'data source', 'datasource', 'address', 'addr', 'network address'];

/** The first pair, and what follows it. A semicolon or a space in a password must not make another dialect of it. */
const FIRST_PAIR = /^[^=;]*=\s*(?:'(?:[^'\\]|\\.)*'|"[^"]*"|[^;\s]*)\s*(;|[^;]|$)/s;

const SPACES = /\s*([a-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)(?:\s+|$)/gsy;

const SEMICOLONS =
  /\s*([a-z][\w .-]*?)\s*=\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|\{(?:[^}]|\}\})*\}|[^;]*?)\s*(?:;\s*|$)/gisy;

/** Every pair, with its key in lower case. undefined: there is other text between them, or a key occurs twice. */
function readPairs(grammar: RegExp, text: string): Map<string, string> | undefined {
  const pairs = new Map<string, string>();
  let end = 0;
  for (const [pair, key = '', value = ''] of text.matchAll(grammar)) {
    if (pairs.has(key.toLowerCase())) return undefined;
    pairs.set(key.toLowerCase(), value.replace(/^(["'])(.*)\1$|^\{(.*)\}$/s, '$2$3'));
    end += pair.length;
  }
  return end === text.length ? pairs : undefined;
}
