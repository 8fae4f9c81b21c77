import type { Node } from 'estree';
import { unwrap } from '../ast.ts';
import { type Connection, isOfCertpin } from '../clients.ts';
import { hostOf, isLocalHost } from '../local.ts';
import { HOLE } from '../markers.ts';
import type { Entry, ObjectValue, Value } from '../value.ts';
import type { Values } from '../values.ts';
import { isOff, type Plaintext, switchedOffBy, type Within } from './plaintext.ts';

/** Names under which further options, and the nodes of a cluster, are given. */
const NESTED = ['socket', 'redisOptions', 'defaults', 'nodeClientOptions', 'sentinelClientOptions'];
const NODES = ['rootNodes', 'sentinelRootNodes', 'sentinels'];

/** What the arguments of a client of Redis say. */
interface Said {
  readonly assigned: Within;
  readonly tls: Entry[];
  readonly urls: string[];
  readonly hosts: Value[];
  sentinels?: Entry;
  sentinelTls?: Entry;
  /** A socket that is made elsewhere: by a class of the caller, or by certpin. */
  isMadeElsewhere: boolean;
  /** Everything that could bring TLS, or another host, can be seen. */
  isWhole: boolean;
}

/** Why a connection of ioredis or node-redis has no TLS. */
export function plaintextRedis({ node }: Connection, values: Values, assigned: Within): Plaintext | undefined {
  const said: Said = { assigned, tls: [], urls: [], hosts: [], isMadeElsewhere: false, isWhole: true };
  const [first, second] = node.arguments;
  for (const argument of node.arguments) {
    const value = values.of(argument);
    // new Redis(process.env.REDIS_PORT, process.env.REDIS_HOST): values of the environment are text.
    if (!isSetting(value) || second === undefined) look(argument, values, said);
    else if (argument !== first) said.hosts.push(value);
  }
  if (said.isMadeElsewhere || said.hosts.some(isOfCertpin)) return undefined;
  const isLocal =
    said.hosts.every((host) => host.kind === 'text' && isLocalHost(host.text)) &&
    said.urls.every((url) => isLocalHost(hostOf(url) ?? ''));
  const [entry] = said.tls;
  if (entry !== undefined && said.tls.every((one) => isOff(one, values))) return { ...switchedOffBy(entry), isLocal };
  if (!said.isWhole) return undefined;
  if (entry !== undefined) {
    const bare = said.sentinelTls === undefined ? said.sentinels : undefined;
    return bare && { id: 'sentinels', node: bare.node, isLocal };
  }
  return said.urls.every((url) => /^redis:/i.test(url)) ? { id: 'none', node, isLocal } : undefined;
}

function isSetting(value: Value): boolean {
  return value.kind === 'global' && /^(?:process\.env|configuration)\./.test(value.path.join('.'));
}

function look(node: Node, values: Values, said: Said): void {
  const inner = unwrap(node);
  if (inner.type === 'ArrayExpression') {
    for (const element of inner.elements)
      if (element === null || element.type === 'SpreadElement') said.isWhole = false;
      else look(element, values, said);
    return;
  }
  for (const value of values.possible(inner)) {
    if (value.kind === 'object') lookAtOptions(value, values, said);
    else if (value.kind === 'text') addAddress(value.text, said);
    else if (value.kind !== 'constant') said.isWhole = false;
  }
}

function lookAtOptions(options: ObjectValue, values: Values, said: Said): void {
  const { entries, open } = options;
  if (open) said.isWhole = false;
  const later = said.assigned(options, 'tls');
  if (later !== undefined && !entries.has('tls')) said.tls.push(later);
  for (const [name, entry] of entries) {
    if (name === 'tls') said.tls.push(entry);
    else if (name === 'sentinelTLS') said.sentinelTls = entry;
    else if (name === 'Connector') said.isMadeElsewhere = true;
    else if (name === 'host') said.hosts.push(values.of(entry.value));
    else if (name === 'path') said.hosts.push({ kind: 'text', text: '/' });
    else if (name === 'url') look(entry.value, values, said);
    if (name === 'sentinels') said.sentinels = entry;
    if (NESTED.includes(name) || NODES.includes(name)) look(entry.value, values, said);
  }
}

/** A URL, or a host. A text with an unknown beginning may be either. */
function addAddress(text: string, said: Said): void {
  if (text.startsWith(HOLE)) said.isWhole = false;
  else if (/^\w+:\/\//.test(text)) said.urls.push(text);
  else said.hosts.push({ kind: 'text', text });
}
