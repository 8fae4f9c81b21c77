import { createHash } from 'node:crypto';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import type { Policy } from '../core/policy.ts';
import { SessionStore } from './sessions.ts';

/** What connections with the same TLS options share. */
export interface SharedTls {
  readonly secureContext: SecureContext;
  readonly sessions: SessionStore;
}

/** Options of `tls.createSecureContext` whose values are compared (doc/api/tls.md). */
const compared = [
  ...['ca', 'cert', 'key', 'pfx', 'passphrase', 'crl', 'allowPartialTrustChain', 'ciphers', 'ecdhCurve', 'sigalgs'],
  ...['dhparam', 'honorCipherOrder', 'minVersion', 'maxVersion', 'secureOptions', 'secureContext'],
] as const;

/** With one of these a context has a state outside of Node, and each connection gets its own. */
const unshared = ['clientCertEngine', 'privateKeyEngine', 'privateKeyIdentifier'] as const;

/** More than these for one configuration come from a client whose options are new at each connection. */
const MAX_CONTEXTS = 16;

interface Entry {
  readonly values: readonly unknown[];
  readonly shared: SharedTls;
}

/** By the policy of a configuration, which lives as long as the configuration; so do the keys in its contexts. */
const contexts = new WeakMap<object, Entry[]>();

/**
 * The secure context for `options`: the same one for the same options of one configuration. Node makes one for each connection
 * otherwise, which takes as long as half a handshake. The client's key may change with its file: an option that has another value, or
 * another content, makes another context. Node's own defaults (`tls.DEFAULT_CIPHERS` and others) are read when one is made.
 *
 * @param owner what stands for the configuration
 * @param way what a connection goes through: connections through another proxy share nothing
 * @returns undefined where Node has to make one for this connection alone
 * @throws the error of `tls.createSecureContext`
 */
export function shareTls(
  owner: object,
  policy: Policy,
  options: ConnectionOptions,
  way: unknown,
): SharedTls | undefined {
  const { ca, secureContext: given } = options;
  // Node's list of CAs can be changed while it runs; where it decides, it is looked up each time.
  const needsRoots = policy.caVerification === 'require' && ca === undefined && given === undefined;
  if (needsRoots || unshared.some((option) => options[option as keyof ConnectionOptions] !== undefined))
    return undefined;
  const values: unknown[] = [way, policy.caVerification];
  for (const option of compared) values.push(contentOf(options[option as keyof ConnectionOptions]));

  let entries = contexts.get(owner);
  if (entries === undefined) {
    entries = [];
    contexts.set(owner, entries);
  }
  for (const { values: known, shared } of entries)
    if (values.every((value, index) => value === known[index])) return shared;
  const secureContext = given ?? createSecureContext(withoutRoots(options, policy));
  const shared = { secureContext, sessions: new SessionStore() };
  entries.push({ values, shared });
  if (entries.length > MAX_CONTEXTS) entries.shift();
  return shared;
}

/** Without a CA verification nobody asks for Node's list of CAs, and it is not loaded, unless the client's own chain may be in it. */
function withoutRoots(options: ConnectionOptions, { caVerification }: Policy): ConnectionOptions {
  const { ca, cert, pfx } = options;
  const isUnused = caVerification !== 'require' && ca === undefined && cert === undefined && pfx === undefined;
  return isUnused ? { ...options, ca: [] } : options;
}

/** Something that is `===` to what an equal value gives. Bytes and lists can be changed in place, so their content counts. */
function contentOf(value: unknown): unknown {
  if (!(value instanceof Uint8Array) && !Array.isArray(value)) return value;
  const hash = createHash('sha256');
  return addContent(hash, value) ? hash.digest('base64') : value;
}

/** @returns whether all of it can be compared; a list that holds other objects is compared by itself */
function addContent(hash: ReturnType<typeof createHash>, value: unknown): boolean {
  if (Array.isArray(value)) {
    hash.update(`list ${value.length} `);
    return value.every((item) => addContent(hash, item));
  }
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) return false;
  const bytes = value instanceof Uint8Array ? value : Buffer.from(`${typeof value} ${String(value)}`);
  hash.update(`${bytes.length} `).update(bytes);
  return true;
}
