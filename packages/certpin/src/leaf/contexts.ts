import { createHash } from 'node:crypto';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { tlsDefaults } from './handshake.ts';
import { ownOptions } from './options.ts';

/** Options of `tls.createSecureContext` (doc/api/tls.md): what the client keeps for itself, and the others. */
const own = namesIn('ca cert key pfx passphrase crl dhparam');
const others = namesIn(
  'allowPartialTrustChain ciphers ecdhCurve sigalgs honorCipherOrder minVersion maxVersion secureOptions',
);

/** With one of these a context is given, or has a state outside of Node, or is not compared: nothing is shared. */
const unshared = [
  ...namesIn('secureContext clientCertEngine privateKeyEngine privateKeyIdentifier'),
  ...namesIn('secureProtocol ticketKeys sessionIdContext sessionTimeout certificateCompression'),
];

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
    // What is not compared does not come into it: others may get it.
    const compared = ownOptions(
      Object.fromEntries([...own, ...others].map((option) => [option, options[option]])) as ConnectionOptions,
    );
    const key = digestOf(Object.values(compared));
    const { ca, cert, pfx } = compared;
    if ((ca ?? cert ?? pfx) === undefined) compared.ca = [];
    const secureContext = contexts.get(key) ?? createSecureContext(compared);
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
  return createHash('sha256')
    .update(contentOf([tlsDefaults(), ...values]))
    .digest('base64');
}

/** All that Node reads of an option. Not its JSON: that may hide a key. */
function contentOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(contentOf).join()}]`;
  if (ArrayBuffer.isView(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (typeof value !== 'object' || value === null) return typeof value + JSON.stringify(value);
  const { pem, buf, passphrase } = value as Record<string, unknown>;
  return `{${contentOf([pem, buf, passphrase])}}`;
}
