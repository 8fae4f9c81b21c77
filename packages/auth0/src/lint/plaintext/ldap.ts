import type { Node } from 'estree';
import { calledMethod, enclosingFunction, unwrap } from '../ast.ts';
import type { Connection } from '../clients.ts';
import { isLocalUrl } from '../local.ts';
import type { Values } from '../values.ts';
import { isOff, type Plaintext } from './plaintext.ts';

/** A call of a method of a directory's client: `client.bind(…)`, `client.startTLS(…)`. */
export interface LdapCall {
  readonly name: 'bind' | 'startTLS';
  readonly node: Node;
  readonly client: Node;
}

/** The call of a method that decides how, and when, a client of a directory gets TLS. */
export function ldapCallOf(node: Node): LdapCall | undefined {
  const { name, object } = calledMethod(node) ?? {};
  if (object === undefined || !/^(?:bind|startTLS|starttls)$/.test(name ?? '')) return undefined;
  return { name: name === 'bind' ? 'bind' : 'startTLS', node, client: object };
}

/** If a client gets its socket from a factory, it is not known how the socket is made. */
const OWN_SOCKET = ['createConnection', 'createSecureConnection', 'socketPath'];

/** Why a connection to a directory has no TLS, or gets it too late. */
export function plaintextLdap(
  { driver, node, config }: Connection,
  values: Values,
  calls: readonly LdapCall[],
): Plaintext | undefined {
  if (config === undefined || config.open || OWN_SOCKET.some((name) => config.entries.has(name))) return undefined;
  // With tlsOptions, ldapts makes TLS from the first byte, whatever the URL says. ldapjs does not.
  const tlsOptions = config.entries.get('tlsOptions');
  if (driver === 'ldapts' && tlsOptions !== undefined && !isOff(tlsOptions, values)) return undefined;
  const urls = urlsOf(config.entries.get('url')?.value, values);
  if (urls.length === 0 || !urls.every((url) => /^ldap:\/\//i.test(url))) return undefined;
  const isLocal = urls.every(isLocalUrl);
  const own = (call: LdapCall): boolean | undefined => {
    const client = values.of(call.client);
    return client.kind === 'made' ? client.node === node : client.kind === 'global' ? false : undefined;
  };
  // A client that cannot be followed may be this one.
  const starts = calls.filter((call) => call.name === 'startTLS' && own(call) !== false);
  if (starts.length === 0) return { id: 'none', node, isLocal };
  const early = calls.find(
    (bind) =>
      bind.name === 'bind' &&
      own(bind) === true &&
      starts.every((start) => own(start) && isBefore(bind.node, start.node)),
  );
  return early && { id: 'late', node: early.node, isLocal };
}

/** Whether a call runs before another one. Within one function, the first one in the text does. */
function isBefore(one: Node, other: Node): boolean {
  return enclosingFunction(one) === enclosingFunction(other) && (one.range?.[0] ?? 0) < (other.range?.[0] ?? 0);
}

/** The URLs of a client: ldapjs takes several. */
function urlsOf(node: Node | undefined, values: Values): string[] {
  const inner = node && unwrap(node);
  const nodes = inner?.type === 'ArrayExpression' ? inner.elements : [inner];
  return nodes.map((one) => {
    const value = values.of(one);
    return value.kind === 'text' ? value.text : '';
  });
}
