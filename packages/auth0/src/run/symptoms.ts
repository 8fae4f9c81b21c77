import type { SerializedError } from './result.ts';

const selfSigned =
  "the server's certificate is not issued by a public CA. Node verifies the chain before it calls checkServerIdentity, so a comparison there is never reached; pin the certificate with certpin, or give it to the driver as ca";

const advice: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: selfSigned,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: selfSigned,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: selfSigned,
  HANDSHAKE_SSL_ERROR: selfSigned,
  CERT_HAS_EXPIRED:
    'the certificate of the server has expired; Node refuses it also as ca, but certpin can accept it by its pin',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate does not name the host that the script connects to',
  ERR_PIN_MISMATCH: 'another server answered, or the certificate was replaced: certpin get shows what it presents now',
  ECONNREFUSED: 'nothing listens there; on the platform, a database on localhost cannot be reached',
  MODULE_NOT_FOUND: 'the module is not installed here; npm install it where the script lies, or in the working folder',
};

/** The usual cause of an error; undefined where none is known. */
export function adviseOnFailure({ code, message = '' }: SerializedError): string | undefined {
  if (code !== undefined && Object.hasOwn(advice, code)) return advice[code];
  if (/self.signed certificate/i.test(message)) return selfSigned;
  if (/unsafe legacy renegotiation disabled/i.test(message)) {
    return 'the server speaks an old TLS that OpenSSL 3 (Node 18 and newer) refuses: renew the server';
  }
  return undefined;
}
