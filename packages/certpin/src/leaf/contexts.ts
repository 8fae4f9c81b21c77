import { createHash } from 'node:crypto';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { tlsDefaults } from './handshake.ts';

/** Options of `tls.createSecureContext` (doc/api/tls.md): what the client keeps for itself, and the others. */
const own = namesIn('ca cert key pfx passphrase crl dhparam');
const others = namesIn(
  'allowPartialTrustChain ciphers ecdhCurve sigalgs honorCipherOrder minVersion maxVersion secureOptions',
);

/** With one of these a context is given, or has a state outside of Node, and nothing is shared. */
const unshared = namesIn('secureContext clientCertEngine privateKeyEngine privateKeyIdentifier');

/** More than these come from a client whose options are new at each connection. */
const MAX_CONTEXTS = 16;

/** Those of connections without a certificate, a key or a CA of their own, of the whole process. */
const ofProcess = new Map<string, SecureContext>();

/** The secure context for the options of a handshake. Nothing: Node has to make one for this connection alone. */
export type ContextFor = (options: ConnectionOptions) => { readonly secureContext?: SecureContext };

/**
 * The secure contexts of one configuration, which live as long as it does, with the keys in them. Node makes one for each connection
 * otherwise, which takes as long as half a handshake. A context does not depend on pins. An option that has another value, or another
 * content, makes another context: a key that is renewed in place is used at once.
 *
 * Node's own list of CAs is not in it, unless the client's certificate may need it. Where that list decides, ask for no context here: a
 * program can change the list while it runs.
 *
 * @returns throws the error of `tls.createSecureContext`
 */
export function createContexts(): ContextFor {
  const ofConfiguration = new Map<string, SecureContext>();
  return (options) => {
    if (unshared.some((option) => options[option] !== undefined)) return {};
    const contexts = own.some((option) => options[option] !== undefined) ? ofConfiguration : ofProcess;
    const key = digestOf([...own, ...others].map((option) => options[option]));
    const { ca, cert, pfx } = options;
    const secureContext =
      contexts.get(key) ?? createSecureContext((ca ?? cert ?? pfx) === undefined ? { ...options, ca: [] } : options);
    contexts.set(key, secureContext);
    const [oldest] = contexts.keys();
    if (contexts.size > MAX_CONTEXTS) contexts.delete(oldest as string);
    return { secureContext };
  };
}

function namesIn(text: string): (keyof ConnectionOptions)[] {
  return text.split(' ') as (keyof ConnectionOptions)[];
}

/** The same for the same content: bytes and lists can be changed in place. A digest, for there are keys among the values. */
function digestOf(values: readonly unknown[]): string {
  const bytesAsText = (_: string, value: unknown): unknown =>
    ArrayBuffer.isView(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
      : value;
  return createHash('sha256')
    .update(JSON.stringify([tlsDefaults(), ...values], bytesAsText))
    .digest('base64');
}
