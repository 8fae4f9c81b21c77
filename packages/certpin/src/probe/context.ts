import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { safeHandshake } from '../leaf/handshake.ts';
import { ownOptions } from '../leaf/options.ts';
import { explainHandshake } from './handshake-failure.ts';

/** For all probes without TLS options of their own. */
let shared: SecureContext | undefined;

/**
 * OpenSSL's context of the handshakes. It is made when it is first needed. All handshakes share it, because it costs a quarter of a
 * handshake and as much memory as the connection. No session is kept in it.
 *
 * @returns a function that throws the errors of OpenSSL if a certificate or key cannot be read, or no cipher is left
 */
export function createContext(tls: ConnectionOptions): () => SecureContext {
  if (Object.keys(tls).length === 0) {
    return () => {
      shared ??= make(tls);
      return shared;
    };
  }
  let own: SecureContext | undefined;
  return () => {
    own ??= make(tls);
    return own;
  };
}

/** An empty list of CAs: then the chain is what the server presents, and not what Node completes from its own list. */
function make(tls: ConnectionOptions): SecureContext {
  try {
    const { minVersion } = ownOptions(tls);
    const version = minVersion === undefined ? {} : { minVersion };
    return createSecureContext(ownOptions({ ...safeHandshake({ ...tls, ca: [] }), ...version }));
  } catch (error) {
    throw explainHandshake(error as Error);
  }
}
