import { CertpinError } from '../errors.ts';

/** How to read the certificate of a server that is too old for the defaults; a probe alone may do so. */
const OLD = "to read its certificate nevertheless, ask with minVersion 'TLSv1'";

/**
 * What OpenSSL's reasons mean. The names of alerts changed with OpenSSL 3.2 (`SSLV3_ALERT_…` is `SSL/TLS_ALERT_…`), so they are known by their
 * ends. The first that fits.
 */
const meanings: readonly (readonly [reason: RegExp, words: string])[] = [
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|NOT_SSL_RECORD/, 'the server does not begin with TLS'],
  [
    /ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE/,
    `the two sides share no TLS version; where the server offers TLS 1.0 or 1.1 only: ${OLD}`,
  ],
  [
    /UNSAFE_LEGACY_RENEGOTIATION_DISABLED/,
    `the server lacks secure renegotiation (RFC 5746), so it is from before 2010 or never updated; ${OLD}`,
  ],
  [
    /DH_KEY_TOO_SMALL|DH_PARAM_SIZE|BAD_DH_VALUE|MODULUS_TOO_SMALL/,
    "the server's Diffie-Hellman group is too small to be safe; with minVersion 'TLSv1' one of 1024 bits is taken, and never a smaller one",
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
  [/ALERT_ACCESS_DENIED/, 'the server accepts the client certificate, and gives it no access'],
  [
    /UNRECOGNIZED_NAME/,
    'the server does not know the name that it was asked for, or demands one: give it as servername',
  ],
  [/NO_APPLICATION_PROTOCOL/, 'the server wants to hear of its own protocol in the handshake (ALPN)'],
  [
    /ALERT_HANDSHAKE_FAILURE/,
    `the server found nothing that both sides support: it may demand a client certificate, a server name, or be too old; ${OLD}`,
  ],
  [/ALERT_INSUFFICIENT_SECURITY/, 'the server demands stronger ciphers'],
  [
    /ALERT_INTERNAL_ERROR/,
    'the server failed; some do where they are asked for no name, or for another: give it as servername',
  ],
  [/NO_CIPHERS_AVAILABLE|NO_CIPHER_MATCH/, 'no cipher is left of those that the options name'],
  [/ECONNRESET|EPIPE/, 'the server closed the connection in the middle of the handshake'],
];

/** Gives the reason in words, beside the code, which stays; other errors are returned as they are. */
export function explainHandshake(error: Error & { readonly code?: string }): Error {
  if (error instanceof CertpinError) return error;
  const reason = reasonOf(error);
  const words = meanings.find(([pattern]) => pattern.test(reason))?.[1] ?? unknownReason(reason);
  if (words === undefined) return error;
  const code = error.code ?? reason;
  return Object.assign(new Error(`${words} (${code})`, { cause: error }), { code });
}

/** OpenSSL's own word for what has no better one here. */
function unknownReason(reason: string): string | undefined {
  const word = /^ERR_SSL_(\w+)$/.exec(reason)?.[1];
  return word === undefined ? undefined : `the TLS handshake failed: ${word.toLowerCase().replaceAll('_', ' ')}`;
}

/** Whether a server that failed to make a handshake is sure to speak TLS from the first byte. */
export function speaksTls(error: Error & { readonly code?: string }): boolean {
  const reason = reasonOf(error.cause instanceof Error ? error.cause : error);
  // A database that speaks TLS at once only with those who name its protocol (PostgreSQL 17) takes the others by its upgrade.
  const otherwise = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|NOT_SSL_RECORD|NO_APPLICATION_PROTOCOL/;
  return /^ERR_(?:SSL|TLS)_/.test(reason) && !otherwise.test(reason);
}

/** Node gives OpenSSL's reason as a code; where it does not (`EPROTO`), it stands in the message. */
function reasonOf({ code = '', message }: { readonly code?: string; readonly message: string }): string {
  if (code.startsWith('ERR_')) return code;
  const reason = /SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  return reason === undefined ? code : `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`;
}
