import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureVersion, TLSSocket } from 'node:tls';
import { CertpinError, optionErrors } from '../errors.ts';
import { readDriverConfig, type TrustlessTls, trustlessTls, withPinned } from './driver-config.ts';
import type { LdapServer } from './ldap.ts';

/** What `pinnedLdapts` reads of the options of ldapts; everything else passes through untouched. */
export interface LdaptsConfig {
  readonly url?: unknown;
  /** TLS options of the client itself: `cert` and `key` for mutual TLS, `servername`, `ciphers`, `ca` for `caVerification`. */
  readonly tlsOptions?: object | undefined;
  readonly createConnection?: unknown;
  readonly createSecureConnection?: unknown;
}

/** What `pinnedLdapts` adds. */
export interface PinnedLdapts {
  /** Always `ldaps:`, with the port. Then the client asks `createSecureConnection` for its connection, with StartTLS or without. */
  readonly url: string;
  /** Makes every connection. It has the types of `tls.connect`, because it takes its place. */
  readonly createSecureConnection: (...given: unknown[]) => TLSSocket;
  /** In place of `net.connect`. Only a copy of the options with another URL calls it, and is refused. */
  readonly createConnection: (...given: unknown[]) => Socket;
  /**
   * For a copy that has lost `createSecureConnection`, and for an ldapts that does not know it: TLS options with which TLS cannot begin.
   */
  readonly tlsOptions: LostLdapTls;
}

/** TLS options under which Node makes no connection. If somebody corrects the version, no server is accepted. */
interface LostLdapTls extends TrustlessTls {
  readonly minVersion: SecureVersion;
}

const LOST =
  'certpin: the pinned options were not used; pass all of them on, to ldapts 8.2 or newer (for an older ldapts, use certpin/driver-tls)';

const MAKES_CONNECTION = 'certpin makes the connection itself; remove the function';

const invalid = optionErrors('pinnedLdapts');

/** @throws CertpinError `ERR_OPTION_INVALID` */
export function readLdaptsConfig(options: LdaptsConfig): LdaptsConfig {
  const refused = { createConnection: MAKES_CONNECTION, createSecureConnection: MAKES_CONNECTION };
  return readDriverConfig(options, refused, 'pinnedLdapts');
}

/** Options of ldapts that let `connect` open every connection. There is no plaintext path. */
export function configureLdapts(given: LdaptsConfig, server: LdapServer, connect: () => Duplex): object {
  const tlsOptions: LostLdapTls = { minVersion: LOST as SecureVersion, ...trustlessTls() };
  // In both functions, an exception rejects the client's own call.
  const createSecureConnection = (...[first, host, tls]: unknown[]): unknown => {
    if (typeof first === 'object' && first !== null) throw refuseStartTls(first as StartTlsOptions);
    if (first !== server.port || host !== server.host) throw changed('url');
    if (tls !== tlsOptions) throw changed('tlsOptions');
    return connect();
  };
  const createConnection = (): never => {
    throw changed('url');
  };
  return withPinned(given, { url: server.url, createSecureConnection, createConnection, tlsOptions }, 'pinnedLdapts');
}

/** The arguments with which `Client.startTLS()` calls the factory. */
interface StartTlsOptions {
  readonly socket?: { destroy(): unknown };
}

/** The client no longer reads the connection on which it wanted to begin TLS. So that connection is destroyed too. */
function refuseStartTls({ socket }: StartTlsOptions): CertpinError {
  socket?.destroy();
  const message =
    'the connection has TLS already, and is pinned; remove the call of startTLS() (with an ldap:// URL, certpin makes StartTLS itself)';
  return new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'ldapts' });
}

function changed(option: 'url' | 'tlsOptions'): CertpinError {
  return invalid(
    option,
    `\`${option}\` was changed in a copy of the pinned options; change it in the options that pinnedLdapts gets`,
  );
}
