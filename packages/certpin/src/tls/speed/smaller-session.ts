import { inside, numbered, SEQUENCE } from '../../core/der.ts';

/** Newer releases of Node write this before the session: this byte, the length of the server name in two bytes, and the name. */
const NODE_ENVELOPE = Buffer.from('\0nodejs:tls:session:1\0', 'latin1');

/** `peer`, the certificate of the server (ssl/ssl_asn1.c of OpenSSL and of BoringSSL). */
const PEER = numbered(3);

/**
 * The same session without the certificate in it. OpenSSL parses that certificate again whenever the session is offered, which takes longer
 * than the rest of a resumed handshake.
 *
 * This decides nothing, because certpin never reads the certificate of a session. What the server has proven is kept beside the session
 * (sessions.ts). If a session is damaged here, it cannot be resumed, and there is a full handshake.
 *
 * @returns the unchanged session if it is not written as expected
 */
export function withoutCertificate(session: Buffer): Buffer {
  try {
    const start = startOf(session);
    const kept = inside(session.subarray(start), (fields) => withoutPeer(fields.take(SEQUENCE).content));
    return kept === undefined ? session : Buffer.concat([session.subarray(0, start), sequenceOf(kept)]);
  } catch {
    return session;
  }
}

/** Element by element, and never by a search: the server chooses the session ticket, which may hold any bytes. */
function withoutPeer(content: Uint8Array): Uint8Array | undefined {
  return inside(content, (fields) => {
    const kept: Uint8Array[] = [];
    let found = false;
    while (!fields.isUsedUp) {
      const { tag, whole } = fields.takeAny();
      if (tag === PEER) found = true;
      else kept.push(whole);
    }
    return found ? Buffer.concat(kept) : undefined;
  });
}

/** X.690 §10.1: the shortest length. */
function sequenceOf(content: Uint8Array): Buffer {
  const { length } = content;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff];
  if (length > 0xffff) throw new RangeError('no session is as long as this');
  return Buffer.concat([Buffer.from([SEQUENCE, ...header]), content]);
}

function startOf(session: Buffer): number {
  if (!session.subarray(0, NODE_ENVELOPE.length).equals(NODE_ENVELOPE)) return 0;
  const { length } = NODE_ENVELOPE;
  return length + 2 + session.readUInt16BE(length);
}
