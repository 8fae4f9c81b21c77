import type { UpgradeProtocol } from './contract.ts';
import { type Conversation, createConversation, readByte } from './conversation.ts';
import { refused, unexpected } from './upgrade-errors.ts';

const name = 'vnc';

/** ProtocolVersion (RFC 6143 §7.1.1); d is a digit. */
const VERSION = 'RFB ddd.ddd\n';

// Security types (IANA, "Remote Framebuffer Security Types").
const ANON_TLS = 18;
const VENCRYPT = 19;

/** X509None, X509Vnc, X509Plain, and QEMU's X509SASL. The login that each requires comes after TLS. The probe never makes it. */
const X509_SUBTYPES = [260, 261, 262, 263];

/** TLSNone, TLSVnc, TLSPlain, and QEMU's TLSSASL. */
const TLS_SUBTYPES = [257, 258, 259, 264];

/** VeNCrypt over RFB 3.7 and newer (rfbproto, "VeNCrypt"): version, security type, VeNCrypt's version, subtype; then TLS. */
export function createVncUpgrade(): UpgradeProtocol {
  return createConversation(name, undefined, converse());
}

/** Whether a server that speaks unasked begins with a version of RFB. */
export function greetsAsVnc(greeting: Uint8Array): boolean {
  return Buffer.from(greeting.subarray(0, 4)).toString('latin1') === VERSION.slice(0, 4);
}

function* converse(): Conversation {
  let version = '';
  for (const expected of VERSION) {
    const character = String.fromCharCode(yield* readByte());
    if (expected === 'd' ? !/\d/.test(character) : character !== expected)
      throw unexpected(name, 'the server did not greet as VNC does');
    version += character;
  }
  // Up to 3.3, the server alone decides, and it knows no TLS. Versions above 3.8 (Apple's, RealVNC's) speak 3.8 too.
  if (version < 'RFB 003.007')
    throw refused(name, 'the VNC server offers no TLS (it speaks a version of RFB before 3.7)');
  yield Buffer.from(version < 'RFB 003.008' ? 'RFB 003.007\n' : 'RFB 003.008\n', 'latin1');

  const count = yield* readByte();
  // The reason that follows came in plaintext, so it may be anybody's and is not read.
  if (count === 0) throw unexpected(name, 'the VNC server turned the client away before TLS could begin');
  const types = yield count;
  if (!types.includes(VENCRYPT)) {
    const what = types.includes(ANON_TLS)
      ? 'offers anonymous TLS only (security type 18): there is no certificate in it'
      : 'offers no TLS (VeNCrypt, 19, is not among its security types)';
    throw refused(name, `the VNC server ${what}`);
  }
  yield Uint8Array.of(VENCRYPT);

  const major = yield* readByte();
  const minor = yield* readByte();
  if (major === 0 && minor < 2) throw refused(name, 'the VNC server speaks a VeNCrypt before 0.2');
  yield Uint8Array.of(0, 2);
  if ((yield* readByte()) !== 0) throw refused(name, 'the VNC server does not take VeNCrypt 0.2');

  const subtypes = toNumbers(yield 4 * (yield* readByte()));
  const subtype = subtypes.find((offered) => X509_SUBTYPES.includes(offered));
  if (subtype === undefined) {
    const what = subtypes.some((offered) => TLS_SUBTYPES.includes(offered))
      ? 'anonymous TLS only (VeNCrypt TLS…): there is no certificate in it'
      : 'no TLS (VeNCrypt without an X509 subtype)';
    throw refused(name, `the VNC server offers ${what}`);
  }
  yield Uint8Array.of(0, 0, subtype >>> 8, subtype & 0xff);

  const answer = yield* readByte();
  if (answer === 0)
    throw refused(name, 'the VNC server refuses TLS (it cannot begin the VeNCrypt subtype that it offered)');
  if (answer !== 1)
    throw unexpected(name, 'the server answered the choice of a VeNCrypt subtype with something that VNC does not say');
}

function toNumbers(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(index * 4));
}
