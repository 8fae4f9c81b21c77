import type { TLSSocket } from 'node:tls';
import { Certificate } from '../core/certificate.ts';
import { type Place, placeAt } from '../core/der.ts';

/** What newer releases of Node write before the session: this, the length of the server name in two bytes, and the name. */
const NODE_ENVELOPE = Buffer.from('\0nodejs:tls:session:1\0', 'latin1');
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
  return findPeer(session)?.certificate;
}

/**
 * The same session without its certificate, which is an optional part of it. OpenSSL parses the certificate again wherever a session is
 * offered, which takes longer than the rest of a resumed handshake, and nothing in one asks for it: what the server has proven is kept
 * beside the session (sessions.ts).
 *
 * @returns the session as it is where none is found
 */
export function withoutCertificate(session: Buffer): Buffer {
  const peer = findPeer(session);
  if (peer === undefined) return session;
  const { start, offset, certificate, sequence } = peer;
  const [before, behind] = [session.subarray(sequence, offset), session.subarray(certificate.end)];
  const length = before.length + behind.length;
  // X.690 §8.1.3.5: two bytes of length; more are no session. DER has the shortest form, which OpenSSL does not ask for.
  const header = Buffer.of(SEQUENCE, 0x82, length >>> 8, length & 0xff);
  return length > 0xffff ? session : Buffer.concat([session.subarray(0, start), header, before, behind]);
}

/** Where the session, its content and the element with the certificate begin, and where the certificate stands. */
interface Peer {
  readonly start: number;
  readonly sequence: number;
  readonly offset: number;
  readonly certificate: Place;
}

function findPeer(session: Uint8Array): Peer | undefined {
  try {
    const outer = startOf(session);
    const { tag, start, end } = placeAt(session, outer, session.length);
    if (tag !== SEQUENCE || end !== session.length) return undefined;
    // Element by element, and never searched for: a session ticket, which the server chooses, could hold any bytes.
    for (let offset = start; offset < end; ) {
      const length = session[offset + 1] as number;
      // What stands before the certificate is short, and its length one byte.
      if (session[offset] !== PEER && length < 0x80) {
        offset += 2 + length;
        continue;
      }
      const element = placeAt(session, offset, end);
      if (element.tag === PEER) return { start: outer, sequence: start, offset, certificate: element };
      offset = element.end;
    }
  } catch {
    // RangeError: not DER
  }
  return undefined;
}

function startOf(session: Uint8Array): number {
  if (session[0] !== 0) return 0;
  const { length } = NODE_ENVELOPE;
  if (Buffer.compare(session.subarray(0, length), NODE_ENVELOPE) !== 0) return 0;
  return length + 2 + (session[length] as number) * 256 + (session[length + 1] as number);
}
