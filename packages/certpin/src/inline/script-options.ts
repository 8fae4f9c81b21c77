import type { ConnectionOptions } from 'node:tls';
import { ownOptions, refuseUnknown } from '../leaf/options.ts';
import { createLeafPinner, type LeafPinnerOptions, type Pinner } from '../leaf/pinner.ts';

/** The TLS options that a script may need. All others are unknown here, also those that would weaken a pin. */
const tlsKeys = ['host', 'port', 'keepAlive', 'timeout', 'servername', 'ciphers', 'cert', 'key', 'passphrase'];

/**
 * TLS options that stand alone, beside a policy.
 *
 * @param ownKeys further options that this client knows
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function readScriptTls(options: object, where: string, ownKeys: readonly string[] = []): ConnectionOptions {
  refuseUnknown(options, [...tlsKeys, ...ownKeys], where);
  return ownOptions(options) as ConnectionOptions;
}

/**
 * Separates a policy from the options of a client that stand beside it.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`
 */
export function splitScriptOptions(
  options: LeafPinnerOptions & object,
  ownKeys: readonly string[],
  where: string,
): { readonly pinner: Pinner; readonly tls: ConnectionOptions } {
  refuseUnknown(options, [...tlsKeys, ...ownKeys, 'pins', 'expired', 'connectTimeoutMs'], where);
  const { pins, expired, connectTimeoutMs, ...tls } = ownOptions(options);
  return { pinner: createLeafPinner({ pins, expired, connectTimeoutMs }), tls: ownOptions(tls) as ConnectionOptions };
}
