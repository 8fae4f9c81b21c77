import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { tlsDefaults } from './handshake.ts';
import { ownOptions } from './options.ts';
import { sha256 } from './pin.ts';

type Names = readonly (keyof ConnectionOptions)[];

/**
 * Options of `tls.createSecureContext` (doc/api/tls.md). The first list belongs to one client alone. Node accepts only text and numbers for
 * the second. With an option of the third, a context is given, has a state outside of Node, or cannot be made, so nothing is shared.
 */
const [own, others, unshared] = [
  'ca cert key pfx passphrase crl allowPartialTrustChain',
  'ciphers ecdhCurve sigalgs minVersion maxVersion secureOptions',
  'secureContext secureProtocol clientCertEngine privateKeyEngine privateKeyIdentifier',
].map((names) => names.split(' ')) as unknown as [Names, Names, Names];

/** A client that makes more than these has new options at each connection. */
const MAX_CONTEXTS = 16;

/** A secure context, and the values that it was made from. */
type Made = readonly [values: readonly unknown[], secureContext: SecureContext];

/** Of the whole process: for connections without a certificate, a key or a CA of their own. */
const ofProcess: Made[] = [];

/** The secure context for the options of a handshake. Nothing: Node must make one for this connection alone. */
export type ContextFor = (options: ConnectionOptions) => { readonly secureContext?: SecureContext };

/**
 * The secure contexts of one configuration. They live as long as it does, with the keys in them. Without them, Node makes one for each
 * connection, which takes as long as half a handshake. A context does not depend on pins. Another value of an option makes another context,
 * so a key that is renewed in place is used at once. Another default of Node does so too: a program may set it while it runs. A context
 * contains nothing that is not compared here.
 *
 * A context contains Node's own list of CAs only if the client's certificate may need it. If that list decides, ask for no context here: a
 * program can change it while it runs. The compared values contain keys, so only a digest is kept.
 *
 * @returns throws the error of `tls.createSecureContext`
 */
export function createContexts(): ContextFor {
  const ofConfiguration: Made[] = [];
  return (options) => {
    const has = (names: Names): boolean => names.some((option) => options[option] !== undefined);
    if (has(unshared)) return {};
    const valuesOf = (names: Names): unknown[] => names.map((option) => options[option]);
    const contexts = has(own) ? ofConfiguration : ofProcess;
    const values = [...tlsDefaults(), ...valuesOf(others), has(own) && sha256(Buffer.from(contentOf(valuesOf(own))))];
    let made = contexts.find(([before]) => values.every((value, index) => value === before[index]));
    if (made === undefined) {
      const asked = ownOptions(Object.fromEntries([...own, ...others].map((option) => [option, options[option]])));
      if (!has(['ca', 'cert', 'pfx'])) asked.ca = [];
      made = [values, createSecureContext(asked)];
      if (contexts.push(made) > MAX_CONTEXTS) contexts.shift();
    }
    return { secureContext: made[1] };
  };
}

/**
 * Equal for equal content, because bytes and lists can be changed in place. For an object, the parts that Node reads. Not its JSON: a key
 * may be hidden from that.
 */
function contentOf(value: unknown): string {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  if (Object(value) !== value) return `${JSON.stringify(value)}`;
  const { pem, buf, passphrase } = value as Record<string, unknown>;
  return `[${(Array.isArray(value) ? value : [pem, buf, passphrase]).map(contentOf)}]`;
}
