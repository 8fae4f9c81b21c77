import { CertpinError } from '../errors.ts';

/** How to read the certificate of a server that is too old for the defaults. Only a probe may do so. */
const OLD = "to read its certificate nevertheless, ask with minVersion 'TLSv1'";

/** OpenSSL's errors for an answer that is not TLS. */
const PLAINTEXT = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|NOT_SSL_RECORD/;

/**
 * Up to TLS 1.2, a server that has shown its certificate has already found what both sides support. So what it refuses then is the client's
 * certificate.
 */
const DEMANDS_CLIENT =
  'the server demands a client certificate, or another one: it showed its own, and then ended the handshake';

/**
 * What OpenSSL's reasons mean; the first that fits applies. OpenSSL 3.2 changed the names of alerts (`SSLV3_ALERT_…` is now
 * `SSL/TLS_ALERT_…`), so they are recognised by their ends. The table has every alert that OpenSSL can show (RFC 8446 §6.2, RFC 5246
 * §7.2.2, RFC 6066 §9).
 */
const meanings: readonly (readonly [reason: RegExp, words: string])[] = [
  [PLAINTEXT, 'the server does not begin with TLS'],
  [
    /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|INAPPROPRIATE_FALLBACK/,
    `the two sides share no TLS version; if the server offers TLS 1.0 or 1.1 only: ${OLD}`,
  ],
  [
    /UNSAFE_LEGACY_RENEGOTIATION_DISABLED/,
    `the server lacks secure renegotiation (RFC 5746), so it is from before 2010 or never updated; ${OLD}`,
  ],
  [
    /DH_KEY_TOO_SMALL|DH_PARAM_SIZE|BAD_DH_VALUE|MODULUS_TOO_SMALL/,
    "the server's Diffie-Hellman group is too small to be safe; minVersion 'TLSv1' accepts 1024 bits, and never fewer",
  ],
  [/KEY_TOO_SMALL/, `a certificate has a key that is too short to be safe; ${OLD}`],
  [/MD_TOO_WEAK|WRONG_SIGNATURE_TYPE|LEGACY_SIGALG/, `the handshake is signed with a hash that is too weak; ${OLD}`],
  [/CERTIFICATE_REQUIRED/, 'the server demands a client certificate'],
  [/ALERT_UNKNOWN_CA/, 'the server does not trust the CA of the client certificate'],
  [/ALERT_CERTIFICATE_EXPIRED/, 'the client certificate has expired'],
  [/ALERT_CERTIFICATE_REVOKED/, 'the client certificate has been revoked'],
  [
    /ALERT_(?:NO|BAD|UNSUPPORTED)_CERTIFICATE|ALERT_CERTIFICATE_UNKNOWN/,
    'the server demands a client certificate, or another one',
  ],
  [
    /CERTIFICATE_UNOBTAINABLE|BAD_CERTIFICATE_HASH_VALUE/,
    'the server could not fetch the client certificate, or it fetched another one',
  ],
  [
    /BAD_CERTIFICATE_STATUS_RESPONSE/,
    'the server does not accept the proof that the client certificate is not revoked (OCSP)',
  ],
  [/ALERT_ACCESS_DENIED/, 'the server accepts the client certificate, but gives it no access'],
  [/UNRECOGNIZED_NAME/, 'the server does not know the name that was sent, or demands one: give it as servername'],
  [/NO_APPLICATION_PROTOCOL/, 'the server demands the name of its own protocol in the handshake (ALPN)'],
  [/UNKNOWN_PSK_IDENTITY/, 'the server knows its clients by shared keys (PSK), and shows no certificate without one'],
  [
    /MISSING_EXTENSION/,
    'something is missing in the handshake; the server may demand a server name: give it as servername',
  ],
  [
    /ALERT_HANDSHAKE_FAILURE/,
    `the server found nothing that both sides support; it may demand a server name, or be too old: ${OLD}`,
  ],
  [/ALERT_INSUFFICIENT_SECURITY/, 'the server demands stronger ciphers'],
  [/ALERT_EXPORT_RESTRICTION/, `the server offers ciphers for export only, which are too weak to be safe`],
  [
    /ALERT_INTERNAL_ERROR/,
    'the server failed; some servers do so without a server name, or with a wrong one: give it as servername',
  ],
  [/ALERT_USER_CANCELLED/, 'the server gave the handshake up, perhaps because it is being shut down'],
  [/NO_RENEGOTIATION/, 'the server treats the handshake as a renegotiation, and refuses it'],
  [
    /ALERT_(?:UNEXPECTED_MESSAGE|ILLEGAL_PARAMETER|DECODE_ERROR|DECOMPRESSION_FAILURE|RECORD_OVERFLOW)|UNSUPPORTED_EXTENSION/,
    `the server does not understand the handshake: it may be too old, or something on the way intercepts TLS and changes it; ${OLD}`,
  ],
  [
    /ALERT_(?:BAD_RECORD_MAC|DECRYPTION_FAILED|DECRYPT_ERROR)/,
    'the server could not verify or decrypt what the client sent: something on the way changes it, or the client key does not belong to the client certificate',
  ],
  [/NO_CIPHERS_AVAILABLE|NO_CIPHER_MATCH/, 'none of the ciphers in the options can be used'],
  [/ECONNRESET|EPIPE/, 'the server closed the connection in the middle of the handshake'],
];

/** Other causes of a handshake failure. */
interface Circumstances {
  /** Whether the server had shown its certificate. What it refuses then is the client's certificate. */
  readonly wasShown?: boolean;
  /** Whether the options name signature algorithms, and with them a kind of certificate. */
  readonly asksForKind?: boolean;
}

const NO_SUCH_KIND =
  'no signature algorithm in common: the server has no certificate of the kind that is asked for; to see the one it has, ask without sigalgs';

/** Puts the reason in words. The code stays. Other errors are returned unchanged. */
export function explainHandshake(
  error: Error & { readonly code?: string },
  { wasShown = false, asksForKind = false }: Circumstances = {},
): Error {
  if (error instanceof CertpinError) return error;
  const reason = reasonOf(error);
  const isRefused = /ALERT_HANDSHAKE_FAILURE/.test(reason);
  const special = isRefused && (wasShown ? DEMANDS_CLIENT : asksForKind && NO_SUCH_KIND);
  const meaning = special || meanings.find(([pattern]) => pattern.test(reason))?.[1];
  const words = meaning ?? unknownReason(reason);
  if (words === undefined) return error;
  const code = error.code ?? reason;
  return Object.assign(new Error(`${words} (${code})`, { cause: error }), { code });
}

/** OpenSSL's own words, if there are no better ones here. */
function unknownReason(reason: string): string | undefined {
  const word = /^ERR_SSL_([\w/]+)$/.exec(reason)?.[1];
  return word === undefined ? undefined : `the TLS handshake failed: ${word.toLowerCase().replaceAll('_', ' ')}`;
}

/** Whether a server whose handshake failed certainly speaks TLS from the first byte. */
export function speaksTls(error: Error): boolean {
  const reason = reasonOfCause(error);
  // A database may accept immediate TLS only with its protocol name, and use its upgrade otherwise (PostgreSQL 17).
  return /^ERR_(?:SSL|TLS)_/.test(reason) && !PLAINTEXT.test(reason) && !/NO_APPLICATION_PROTOCOL/.test(reason);
}

/** Whether a server has answered to TLS with something else. */
export function isPlaintext(error: Error): boolean {
  return PLAINTEXT.test(reasonOfCause(error));
}

function reasonOfCause(error: Error & { readonly code?: string }): string {
  return reasonOf(error.cause instanceof Error ? error.cause : error);
}

/** Node gives OpenSSL's reason as a code. If it does not (`EPROTO`), the reason is in the message. */
function reasonOf({ code = '', message }: { readonly code?: string; readonly message: string }): string {
  if (code.startsWith('ERR_')) return code;
  const reason = /SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  return reason === undefined ? code : `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`;
}
