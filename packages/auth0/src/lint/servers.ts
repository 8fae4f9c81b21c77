import type { Node } from 'estree';
import { type AnyCall, nameOf, parentOf } from './ast.ts';
import { type ModuleValue, type ObjectValue, objectsOf, type Value } from './value.ts';
import type { Values } from './values.ts';

/** Functions that make a server from options: by module, the paths below it. */
const SERVER_MAKERS: Readonly<Record<string, RegExp>> = {
  https: /^(?:createServer|Server)$/,
  tls: /^(?:createServer|Server)$/,
  http2: /^createSecureServer$/,
  spdy: /^(?:createServer|server\.create)$/,
  fastify: /^(?:|fastify)$/,
  restify: /^createServer$/,
  '@hapi/hapi': /^(?:server|Server)$/,
};

/** Names under which a framework takes the options of its TLS server. */
const NESTED = ['https', 'http2', 'tls', 'httpsOptions', 'serverOptions', 'ssl'];

/** Options that only a client has. */
const OF_A_CLIENT = ['host', 'hostname', 'servername', 'path', 'method', 'agent', 'url', 'uri', 'checkServerIdentity'];

/**
 * Tells the TLS options of a server from those of a client. A server with `rejectUnauthorized: false` checks the certificates of its
 * clients itself. A client with it accepts every server.
 */
export class ServerOptions {
  readonly #values: Values;
  readonly #ofServers = new Set<Node>();
  readonly #ofClients = new Set<Node>();

  constructor(values: Values) {
    this.#values = values;
  }

  /** It must see every call of the file before it is asked. */
  see(call: AnyCall): void {
    const module = this.#values.moduleOf(call.callee as Node);
    if (module === undefined) return;
    for (const argument of call.arguments) {
      for (const options of objectsOf(this.#values.possible(argument))) {
        if (isServer(module, options)) this.#add(options, this.#ofServers);
        else this.#add(options, this.#ofClients);
      }
    }
  }

  #add({ entries }: ObjectValue, found: Set<Node>): void {
    for (const { node } of entries.values()) found.add(node);
    for (const name of NESTED)
      for (const nested of objectsOf(this.#values.possible(entries.get(name)?.value)))
        for (const { node } of nested.entries.values()) found.add(node);
  }

  /** Whether a property, or an assignment to one, is an option of a server and of no client. */
  has(option: Node): boolean {
    if (this.#ofClients.has(option)) return false;
    if (this.#ofServers.has(option)) return true;
    // The code does not show who uses this object. But `requestCert` is an option of servers only.
    const object = parentOf(option);
    if (object?.type !== 'ObjectExpression') return false;
    const names = object.properties.flatMap((property) => (property.type === 'Property' ? [nameOf(property)] : []));
    return names.includes('requestCert') && !OF_A_CLIENT.some((name) => names.includes(name));
  }
}

/** Whether a value is a server, or the server's end of a connection. Its errors tell of clients, and not of a certificate that it checks. */
export function isMadeAsServer(value: Value, values: Values): boolean {
  if (value.kind !== 'made' || value.path.length > 0) return false;
  const { by, node } = value;
  const options = node.arguments.flatMap((argument) => objectsOf(values.possible(argument)));
  const isClient = ({ entries }: ObjectValue): boolean => {
    const said = values.of(entries.get('isServer')?.value);
    return said.kind === 'constant' && said.value !== true;
  };
  return options.length > 0 && options.every((one) => isServer(by, one) && !isClient(one));
}

function isServer({ name, path }: ModuleValue, { entries }: ObjectValue): boolean {
  if (name === 'tls' && path.join('.') === 'TLSSocket') return entries.has('isServer');
  return Object.hasOwn(SERVER_MAKERS, name) && (SERVER_MAKERS[name]?.test(path.join('.')) ?? false);
}
