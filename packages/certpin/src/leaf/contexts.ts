import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { tlsDefaults } from './handshake.ts';
import { ownOptions } from './options.ts';
import { sha256 } from './pin.ts';

type Names = readonly (keyof ConnectionOptions)[];

/**
 * Options of `tls.createSecureContext` (doc/api/tls.md) for a client: what it keeps for itself, and the others, of which Node takes text and
 * numbers only. With one of the last a context is given, has a state outside of Node, or cannot be made: nothing is shared.
 */
const [own, others, unshared] = [
  'ca cert key pfx passphrase crl allowPartialTrustChain',
  'ciphers ecdhCurve sigalgs minVersion maxVersion secureOptions',
  'secureContext secureProtocol clientCertEngine privateKeyEngine privateKeyIdentifier',
].map((names) => names.split(' ')) as unknown as [Names, Names, Names];

/** More than these come from a client whose options are new at each connection. */
const MAX_CONTEXTS = 16;

/** A secure context, and the values that it was made from. */
type Made = readonly [values: readonly unknown[], secureContext: SecureContext];

/** Those of connections without a certificate, a key or a CA of their own, of the whole process. */
const ofProcess: Made[] = [];

/** The secure context for the options of a handshake. Nothing: Node has to make one for this connection alone. */
export type ContextFor = (options: ConnectionOptions) => { readonly secureContext?: SecureContext };

/**
 * The secure contexts of one configuration, which live as long as it does, with the keys in them. Node makes one for each connection
 * otherwise, which takes as long as half a handshake. A context does not depend on pins. An option that has another value, or another
 * content, makes another context: a key that is renewed in place is used at once. So does a default of Node, which a program may set while it
 * runs. What is not compared is not in a context: it would be in the connections of others.
 *
 * Node's own list of CAs is not in it, unless the client's certificate may need it. Where that list decides, ask for no context here: a
 * program can change the list while it runs. There are keys among what is compared; a digest of it is kept.
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
 * The same for the same content: bytes and lists can be changed in place. Of an object what Node reads of it; not its JSON, in which a key may
 * be hidden.
 */
function contentOf(value: unknown): string {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  if (Object(value) !== value) return `${JSON.stringify(value)}`;
  const { pem, buf, passphrase } = value as Record<string, unknown>;
  return `[${(Array.isArray(value) ? value : [pem, buf, passphrase]).map(contentOf)}]`;
}
