import type { ConnectionOptions } from 'node:tls';
import { optionErrors } from '../errors.ts';
import { type ReadTls, readDriverConfig } from './driver-config.ts';

/** What certpin reads of the `options` of a tedious configuration. Everything else passes through untouched. */
export interface TediousOptions {
  readonly encrypt?: unknown;
  readonly trustServerCertificate?: unknown;
  /** TLS options of the client itself: `cert` and `key` for mutual TLS, `ciphers`, `ca` for `caVerification`. */
  readonly cryptoCredentialsDetails?: object | undefined;
  /** The server's name in TLS, if it is not the host. */
  readonly serverName?: string | undefined;
  readonly packetSize?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly connectTimeout?: number | undefined;
}

/**
 * Reads the `options` of a tedious configuration, and checks what they say about TLS.
 *
 * @param beside the configuration around the options. A value there counts if `options` does not have it
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function readTediousOptions(
  options: TediousOptions | undefined,
  beside: Pick<TediousOptions, 'encrypt' | 'trustServerCertificate'>,
  readTls: ReadTls,
  where: string,
): { readonly given: TediousOptions; readonly tls: ConnectionOptions; readonly isStrict: boolean } {
  const given: TediousOptions = readDriverConfig(options ?? {}, { connector: CONNECTS }, where);
  const isStrict = readEncrypt(given.encrypt ?? beside.encrypt, where) === 'strict';
  for (const { trustServerCertificate } of [given, beside]) refuseTrust(trustServerCertificate, where);
  return { given, tls: readTediousTls(given, isStrict, readTls, where), isStrict };
}

const CONNECTS = 'certpin makes the connection itself; remove `connector`';

function readEncrypt(encrypt: unknown, where: string): true | 'strict' {
  const invalid = optionErrors(where);
  if (encrypt === undefined || encrypt === true) return true;
  if (encrypt === 'strict') return encrypt;
  if (encrypt === false)
    throw invalid('encrypt', "`encrypt: false` contradicts a pin: there is always TLS; remove it, or say 'strict'");
  throw invalid('encrypt', "`encrypt` must be true or 'strict'");
}

function refuseTrust(trust: unknown, where: string): void {
  if (trust === undefined || trust === false) return;
  const message = '`trustServerCertificate` has no place beside a pin: the pin decides; remove it';
  throw optionErrors(where)('trustServerCertificate', message);
}

function readTediousTls(
  { cryptoCredentialsDetails = {}, serverName }: TediousOptions,
  isStrict: boolean,
  readTls: ReadTls,
  where: string,
): ConnectionOptions {
  const tls = readTls(cryptoCredentialsDetails, 'cryptoCredentialsDetails');
  if (!isStrict && tls.minVersion === 'TLSv1.3')
    throw optionErrors(where)(
      'minVersion',
      "TDS 7 knows TLS 1.2 at most; remove `minVersion`, or say `encrypt: 'strict'` (TDS 8)",
    );
  return serverName === undefined ? tls : { ...tls, servername: serverName };
}
