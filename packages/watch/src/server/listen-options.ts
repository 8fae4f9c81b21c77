import { isLoopback } from '../loopback.ts';

/**
 * Where the pages are served, and to whom: docs/reference/watch-pages.md. Secrets are texts here. The configuration knows where they come
 * from.
 */
export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: TlsFiles | undefined;
  /** A proxy in front ends TLS, and adds the client's address to X-Forwarded-For. */
  readonly behindProxy?: boolean | undefined;
  /** What people paste into the form, and programs send as Bearer. */
  readonly token?: string | undefined;
  /** The names of the pages' server, without a port. Default under TLS: those in the certificate. */
  readonly names?: readonly string[] | undefined;
}

/** PEM texts. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** A client with a certificate of this CA needs no token. */
  readonly clientCa?: string | undefined;
}

const SHORTEST_TOKEN = 24;

/**
 * Public pages would tell an attacker which server is not watched well. So they are public only on loopback.
 *
 * @throws Error with one sentence: what is missing, and what to do
 */
export function checkListenOptions({ host, port, tls, behindProxy, token, names }: ListenOptions): void {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('listen: a port is a number up to 65535');
  const at = `listen ${host}:${port}`;
  if (host === '') throw new Error(`listen: an address is expected before the port, as in 127.0.0.1:${port}`);
  if (token !== undefined && token.length < SHORTEST_TOKEN)
    throw new Error(`${at}: the token is too short to be safe. Make one: openssl rand -base64 32`);
  if (token !== undefined && !/^[\x21-\x7E]+$/.test(token))
    throw new Error(`${at}: the token has characters that no header carries. Make one: openssl rand -base64 32`);
  if (behindProxy && (names ?? []).length === 0)
    throw new Error(`${at}: behind a proxy, say the name that people type into the browser (names)`);
  if (behindProxy && token === undefined)
    throw new Error(`${at}: behind a proxy, a token is needed: whoever reaches the proxy reaches the pages`);
  if (isLoopback(host)) return;
  if (tls === undefined && !behindProxy)
    throw new Error(
      `${at} is no loopback address: give a certificate and its key (tls), or say that a proxy is in front`,
    );
  if (token === undefined && tls?.clientCa === undefined)
    throw new Error(`${at} is no loopback address: a token, or a CA of client certificates, is needed`);
}
