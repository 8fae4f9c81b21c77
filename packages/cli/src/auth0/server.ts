import type { CertificateSummary } from 'certpin';
import { type ProbeOptions, parseTarget, probe, type ServerTarget } from 'certpin/probe';
import { UsageError } from '../failure.ts';
import { type Io, withProgress } from '../io.ts';

const COMMAND = 'auth0 new';

/** What `--from` says, less its credentials. */
export interface Server {
  readonly target: ServerTarget;
  /** As it may be shown. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  /** The client that fits; undefined: the target does not tell. */
  readonly client: 'pg' | 'mysql2' | 'axios' | undefined;
  /** The name in the path of a database's URL. */
  readonly database: string | undefined;
  /** Of an API. */
  readonly url: string | undefined;
}

/** @throws UsageError; CertpinError `ERR_TARGET_INVALID` */
export function readServer(text: string): Server {
  const target = parseTarget(text);
  if (!('host' in target)) {
    throw new UsageError('--from names a server; the certificate of a file is given with --pins-file', COMMAND);
  }
  const { label, host, port, protocol } = target;
  const clients = { postgres: 'pg', mysql: 'mysql2', tls: 'axios' } as const;
  const client = protocol !== null && protocol in clients ? clients[protocol as keyof typeof clients] : undefined;
  const path = pathOf(text);
  return {
    ...{ target, label, host, port, client },
    database: client === 'axios' || path === '' ? undefined : path,
    url:
      client === 'axios'
        ? `https://${label.replace(/^\w+:\/\//, '').replace(/:443$/, '')}${path && `/${path}`}`
        : undefined,
  };
}

/** The path of a URL, without the slashes around it. What is behind it (`?password=…`) is not looked at. */
function pathOf(text: string): string {
  if (!/^(?:https|postgres(?:ql)?|mysql|mariadb):\/\//i.test(text)) return '';
  return decodeURIComponent(new URL(text).pathname).replace(/^\/+|\/+$/g, '');
}

/** The certificate that it presents just now. Nothing but a handshake is sent; no credential is. */
export async function fetchCertificate(
  { target, label }: Server,
  options: ProbeOptions,
  io: Io,
): Promise<CertificateSummary | { readonly code: string; readonly message: string }> {
  const report = await withProgress(io, `probing ${label} ...`, probe(target, options));
  return report.ok ? report.certificate : report.error;
}
