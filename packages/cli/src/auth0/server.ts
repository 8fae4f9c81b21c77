import type { ScriptClient } from '@certpin/auth0';
import type { CertificateSummary } from 'certpin';
import { type ProbeOptions, type Protocol, parseTarget, probe, type ServerTarget } from 'certpin/probe';
import { UsageError } from '../failure.ts';
import { type Io, withProgress } from '../io.ts';

const COMMAND = 'auth0 new';

/** The server of `--from`, without its credentials. */
export interface Server {
  readonly target: ServerTarget;
  /** As it may be shown. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  /** The clients that speak to it, with the usual one first. undefined: the target does not say. */
  readonly clients: readonly ScriptClient[] | undefined;
  /** The name in the path of a database's URL. For a directory's URL, the place where a search begins. */
  readonly database: string | undefined;
  /** For an API, or for a directory. */
  readonly url: string | undefined;
}

const http: readonly ScriptClient[] = ['axios', 'fetch'];
const clientsOf: Partial<Record<Protocol, readonly ScriptClient[]>> = {
  ...{ postgres: ['pg'], mysql: ['mysql2', 'mysql'], mssql: ['tedious'], ldap: ['ldapts'], tls: http },
};

const MONGODB_PORT = 27_017;
const LDAPS_PORT = 636;

/** Services that begin with TLS, but do not speak HTTP. */
const notHttp: ReadonlySet<number> = new Set([
  465,
  563,
  LDAPS_PORT,
  990,
  992,
  993,
  995,
  5223,
  5270,
  6379,
  6697,
  MONGODB_PORT,
]);

/**
 * @param protocol the value of `--protocol`
 * @throws UsageError; CertpinError `ERR_TARGET_INVALID`
 */
export function readServer(text: string, protocol?: Protocol): Server {
  const target = parseTarget(text);
  if (!('host' in target)) {
    throw new UsageError('--from takes a server; give a certificate file with --pins-file', COMMAND);
  }
  const { label, host, port } = target;
  const scheme = /^(?:jdbc:)?([a-z][\w+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  const said = scheme === undefined || scheme === 'tls' ? null : target.protocol;
  if (protocol !== undefined && said !== null && said !== protocol)
    throw new UsageError(`--protocol ${protocol} and ${scheme}:// contradict each other`, COMMAND);
  const spoken = protocol ?? target.protocol;
  const clients = spoken === null ? undefined : clientsAt(spoken, scheme, port);
  const isApi = clients === http;
  const isDirectory = clients?.[0] === 'ldapts';
  const address = label.replace(/^\w+:\/\//, '');
  const path = pathOf(text);
  return {
    ...{ target, label, host, port, clients },
    database: isApi || path === '' ? undefined : path,
    url: isDirectory
      ? `${spoken === 'ldap' ? 'ldap' : 'ldaps'}://${address}`
      : isApi
        ? `https://${address.replace(/:443$/, '')}${path && `/${path}`}`
        : undefined,
  };
}

/** A service with its own scheme or port is not an HTTP API only because it begins with TLS. Empty: no script speaks to it. */
function clientsAt(spoken: Protocol, scheme: string | undefined, port: number): readonly ScriptClient[] {
  const clients = clientsOf[spoken] ?? [];
  if (spoken === 'tls' && (scheme === 'mongodb' || (scheme === undefined && port === MONGODB_PORT))) return ['mongodb'];
  if (spoken === 'tls' && (scheme === 'ldaps' || (scheme === undefined && port === LDAPS_PORT))) return ['ldapts'];
  if (clients !== http || scheme === 'https') return clients;
  return (scheme === undefined || scheme === 'tls') && !notHttp.has(port) ? clients : [];
}

/**
 * Refuses a client that does not speak to the server, and a port that belongs to another database. Otherwise, the fingerprint and the
 * scripts would be for something else.
 *
 * @throws UsageError
 */
export function refuseOtherClient({ label, port, clients }: Server, client: string): void {
  const fits = clients === undefined || (clients as readonly string[]).includes(client);
  const { protocol: owner } = parseTarget(`host.invalid:${port}`) as ServerTarget;
  const owners = owner === null || owner === 'tls' ? undefined : (clientsOf[owner] ?? []);
  if (fits && (owners === undefined || (owners as readonly string[]).includes(client))) return;
  if (!fits) throw new UsageError(`${client} does not speak to ${label}`, COMMAND);
  const usual = owners?.length === 0 ? '' : `, which takes --client ${owners?.join(' or ')}`;
  throw new UsageError(
    `${client} does not speak to ${label}: port ${port} belongs to ${protocolNames[owner as Protocol] ?? owner}${usual}. For another kind of server, give --client and --pins in place of --from`,
    COMMAND,
  );
}

const protocolNames: Partial<Record<Protocol, string>> = {
  postgres: 'PostgreSQL',
  mysql: 'MySQL',
  mssql: 'SQL Server',
  ldap: 'LDAP',
};

/** The path of a URL, without the slashes around it. The query (`?password=…`) is not read. */
function pathOf(text: string): string {
  if (!/^(?:https|postgres(?:ql)?|mysql|mariadb|ldaps?|ldap\+starttls):\/\//i.test(text)) return '';
  return decodeURIComponent(new URL(text).pathname).replace(/^\/+|\/+$/g, '');
}

/** The certificate that it presents now. Only a handshake is made. No credential is sent. */
export async function fetchCertificate(
  { target, label }: Server,
  options: ProbeOptions,
  io: Io,
): Promise<CertificateSummary | { readonly code: string; readonly message: string }> {
  const report = await withProgress(io, `probing ${label} ...`, probe(target, options));
  return report.ok ? report.certificate : report.error;
}
