import type { TLSSocket } from 'node:tls';
import { Certificate } from '../core/certificate.ts';
import { type Place, placeAt } from '../core/der.ts';

const SEQUENCE = 0x30;
/** `peer`, tagged [3] (ssl/ssl_asn1.c of OpenSSL and of BoringSSL). */
const PEER = 0xa3;

/**
 * The certificate that the server presented in the handshake that `socket` has just completed.
 *
 * It stands in the session that OpenSSL writes out, as i2d_X509 writes it, which is what `getPeerCertificate().raw` holds too. That
 * method takes the certificate apart into an object, at five times the cost; `getPeerX509Certificate()` takes it away from whoever
 * asks next (guard.ts).
 *
 * @returns undefined where there is none, or the session is written in a way that is not known here: then Node is to be asked
 */
export function readLeaf(socket: TLSSocket): Certificate | undefined {
  const session = socket.getSession();
  const place = session && findCertificate(session);
  // A copy: the secrets of the connection stand in the same memory.
  return place && new Certificate(new Uint8Array((session as Buffer).subarray(place.start, place.end)), true);
}

/** Whether that certificate is this one, byte by byte: its DER, one character for each byte. */
export function presents(socket: TLSSocket, der: string): boolean {
  const session = socket.getSession();
  const place = session && findCertificate(session);
  return place !== undefined && session?.toString('latin1', place.start, place.end) === der;
}

/** @returns where in a serialised session the certificate stands; undefined where none is found */
export function findCertificate(session: Uint8Array): Place | undefined {
  try {
    const outer = placeAt(session, 0, session.length);
    if (outer.tag !== SEQUENCE) return undefined;
    // Element by element, and never searched for: a session ticket, which the server chooses, could hold any bytes.
    for (let offset = outer.start; offset < outer.end; ) {
      const element = placeAt(session, offset, outer.end);
      if (element.tag === PEER) return element;
      offset = element.end;
    }
  } catch {
    // RangeError: not DER
  }
  return undefined;
}
