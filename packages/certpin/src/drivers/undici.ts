import type { Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { runInThisContext } from 'node:vm';
import { CertpinError, optionErrors } from '../errors.ts';
import { ownOptions, refuseOptions } from '../leaf/options.ts';
import type { Pinner } from '../leaf/pinner.ts';
import { handOver } from './hand-over.ts';
import { plaintextRefused } from './plaintext.ts';

const invalid = optionErrors('certpin/undici');

/** What undici asks a connector for. */
export interface ConnectorRequest {
  readonly hostname: string;
  readonly protocol: string;
  readonly port: string | number;
  readonly servername?: string | null | undefined;
  readonly localAddress?: string | null | undefined;
  readonly httpSocket?: Socket | undefined;
  readonly socketPath?: string | null | undefined;
}

/** The `connect` option of undici's `Client`, `Pool` and `Agent`. */
export type PinnedConnector = (
  request: ConnectorRequest,
  callback: (...result: [error: null, socket: TLSSocket] | [error: Error, socket: null]) => void,
) => void;

/** What certpin uses of a dispatcher. The rest belongs to undici. */
export interface DispatcherLike {
  dispatch(options: never, handler: never): boolean;
  close(): Promise<void>;
  destroy(): Promise<void>;
}

export type AgentClass<Dispatcher extends DispatcherLike> = new (options: never) => Dispatcher;

// biome-ignore lint/suspicious/noExplicitAny: each undici has parameter types of its own, and certpin hands them on
export type AnyFetch = (input: any, init?: any) => Promise<any>;

/** The `Agent`, and what else it takes. */
export interface DispatcherOptions<Dispatcher extends DispatcherLike> {
  readonly Agent?: AgentClass<Dispatcher> | undefined;
  readonly [agentOption: string]: unknown;
}

/** Options of undici's Agent that would open connections without certpin, or that have no effect together with a connector. */
const refusedOptions: Record<string, string> = {
  connect: 'certpin makes the connection itself; give TLS options in `tls`',
  proxy: 'the connections go to the server itself',
  factory: 'it may make clients that connect without certpin',
  allowH2: 'this client speaks HTTP/1.1; for HTTP/2, use certpin/http2',
  useH2c: 'HTTP/2 without TLS has nothing to pin',
  connectTimeout: 'use `connectTimeoutMs` in the policy',
  maxCachedSessions: 'TLS sessions are not cached: a resumed one shows no certificate',
  autoSelectFamily: 'it belongs into `tls`',
  autoSelectFamilyAttemptTimeout: 'it belongs into `tls`',
};

/**
 * The pinner opens every connection. `http:` origins are refused, also as the target of a redirect.
 *
 * @param tls options of `tls.connect`
 */
export function createConnector(pinner: Pinner, tls: ConnectionOptions): PinnedConnector {
  return ({ hostname, protocol, port, servername, localAddress, httpSocket, socketPath }, callback) => {
    let socket: TLSSocket;
    try {
      if (protocol !== 'https:') throw plaintextRefused(protocol);
      const options = {
        ...tls,
        ALPNProtocols: ['http/1.1'],
        host: hostname,
        port: Number(port) || 443,
        ...(localAddress ? { localAddress } : {}),
        ...(httpSocket ? { socket: httpSocket } : {}),
        ...(socketPath ? { path: socketPath } : {}),
      } as ConnectionOptions;
      // undici takes this name from the `Host` header.
      socket = pinner.open(options, pinner.connectTimeoutMs, servername);
    } catch (error) {
      callback(errorOfFetch(error as Error), null);
      return;
    }
    // As undici's own connector sets them.
    socket.setNoDelay(true).setKeepAlive(true, 60_000);
    const fail = (error: Error): void => callback(errorOfFetch(error), null);
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      socket.off('error', fail);
      handOver(socket, () => callback(null, socket));
    });
  };
}

/** `fetch` keeps only the text of an error from another realm. In a sandbox, certpin's error is from another realm. */
function errorOfFetch(error: Error & { readonly code?: unknown }): Error {
  const Outer: ErrorConstructor = runInThisContext('Error');
  const { message, code } = error;
  return error instanceof Outer ? error : Object.assign(new Outer(message, { cause: error }), { code });
}

/**
 * A dispatcher that lets the connector open every connection.
 *
 * @param options `Agent`, and its other options
 * @throws CertpinError `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`
 */
export function createDispatcher<Dispatcher extends DispatcherLike>(
  connect: PinnedConnector,
  given: DispatcherOptions<Dispatcher>,
): Dispatcher {
  const { Agent, ...options } = ownOptions(given);
  refuseOptions(options, refusedOptions, (option, why) =>
    options[option] === false ? undefined : invalid(option, `remove \`${option}\`: ${why}`),
  );
  const AgentOfFetch = Agent ?? (builtInAgent() as AgentClass<never>);
  if (typeof AgentOfFetch !== 'function') throw invalid('Agent', '`Agent` must be the class Agent of undici');
  if (Agent !== undefined && !isAgent(Agent)) throw unsupported('`Agent` is not that of undici, or was renamed');
  proveAgent(AgentOfFetch, options);
  return new AgentOfFetch({ ...options, connect } as never);
}

/**
 * The other dispatchers of undici accept the option `connect` too, but connect by themselves if a proxy, an environment variable or a mock
 * says so. A class that is derived from one of them may do so as well. This is how the class of an Agent begins in undici 5 to 8, and in
 * Node's builds of them:
 */
const AGENT = /^class\s+(?:_?Agent\d*\s+)?extends\s+DispatcherBase\d*\b/;

function isAgent(Class: { readonly name: string } | undefined): boolean {
  return Class?.name === 'Agent' && AGENT.test(String(Class));
}

/** No server has a name in `.invalid` (RFC 6761 §6.4). */
const NOWHERE = 'https://certpin.invalid';

/**
 * Makes another agent of this class, with the same options, and lets it ask for a connection to a host that does not exist. Its connector
 * must be asked. A request must never leave on a connection that certpin has not made.
 */
function proveAgent(Agent: AgentClass<DispatcherLike>, options: object): void {
  let isAsked = false;
  const connect: PinnedConnector = ({ hostname }, callback) => {
    isAsked = NOWHERE.endsWith(hostname);
    callback(new Error('not sent'), null);
  };
  const agent = new Agent({ ...options, connect } as never);
  const ignore = (): void => undefined;
  // Each undici has its own names for the members of a handler.
  const handler = new Proxy({}, { get: () => ignore });
  try {
    agent.dispatch({ origin: NOWHERE, path: '/', method: 'GET' } as never, handler as never);
  } catch {
    // Then it has not asked.
  }
  agent.destroy().catch(ignore);
  if (!isAsked)
    throw unsupported('`Agent` does not ask its connector, so it cannot be pinned; give the class Agent of undici');
}

/**
 * Lets `fetch` make a request to a host that does not exist. Its dispatcher must be asked. A `fetch` that is not undici's (a polyfill, a
 * mock) ignores the dispatcher and would connect by itself.
 */
function proveFetch(send: AnyFetch): Promise<void> {
  return new Promise((resolve, reject) => {
    const dispatch = (): never => {
      resolve();
      throw new Error('not sent');
    };
    const isOver = (): void => reject(unsupported('`fetch` does not use its dispatcher; give the `fetch` of undici'));
    (async () => send(NOWHERE, { dispatcher: { dispatch } }))().then(isOver, isOver);
  });
}

/** The result of `pinnedFetch`: `fetch`, and the pool behind it, which can be closed. */
export type PinnedFetch<Fetch extends AnyFetch> = Fetch & { readonly dispatcher: DispatcherLike };

/**
 * `fetch` that goes through the dispatcher.
 *
 * @param given the `fetch` of the undici whose `Agent` made the dispatcher. Default: Node's built-in `fetch`
 */
export function createFetch<Fetch extends AnyFetch>(
  dispatcher: DispatcherLike,
  given: Fetch | undefined,
): PinnedFetch<Fetch> {
  const send: AnyFetch = given ?? fetch;
  let shown: Promise<void> | undefined;
  const pinned = async (input: unknown, init?: { dispatcher?: unknown }): Promise<unknown> => {
    if (ownOptions(init ?? {}).dispatcher !== undefined)
      throw invalid('dispatcher', 'certpin has a dispatcher of its own; remove it');
    shown ??= proveFetch(send);
    await shown;
    return send(input, { ...init, dispatcher });
  };
  return Object.assign(pinned as Fetch, { dispatcher });
}

/**
 * Splits the options of `fetch` from those of the dispatcher.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function readFetchOptions<Options extends { readonly fetch?: unknown; readonly Agent?: unknown }>(
  options: Options,
): Options {
  const own = readOptions(options);
  if ((own.fetch === undefined) !== (own.Agent === undefined)) {
    throw invalid('fetch', '`fetch` and `Agent` must come from the same undici: give both, or neither');
  }
  return own;
}

/** @throws CertpinError `ERR_OPTION_INVALID` unless it is an object */
export function readOptions<Options extends object>(options: Options): Options {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'options must be an object');
  return ownOptions(options);
}

/**
 * The Agent that fits Node's own `fetch`. Node does not export this class, so it is taken from the dispatcher that `fetch` uses. undici 8
 * keeps it under 2, older ones under 1. If the package undici 8 was loaded first, an older `fetch` finds a wrapper around an Agent of
 * undici 8 there. It then gets the same class from here.
 *
 * A sandbox (of Jest, of `node:vm`) has a global object of its own, but its `fetch` is the outer one. A dispatcher that was set inside is
 * looked at too.
 */
function builtInAgent(): AgentClass<DispatcherLike> {
  const outer = runInThisContext('globalThis');
  // Read here, so that Node loads its undici. Used, so that no bundler removes it.
  const agent = typeof outer.Headers === 'function' ? agentOf(outer) : undefined;
  const isForeign = dispatcherClasses(globalThis).some(Boolean) && !agentOf(globalThis);
  if (agent !== undefined && !isForeign) return agent;
  throw unsupported(
    'the global dispatcher is not an Agent that certpin knows (a proxy, a mock or another one was set): install undici and give its `Agent` and `fetch`',
  );
}

/** undefined: a proxy agent or a mock, which would open connections of its own. */
function agentOf(global: object): AgentClass<DispatcherLike> | undefined {
  const [current, agent] = dispatcherClasses(global);
  if (isAgent(current)) return current as AgentClass<DispatcherLike>;
  if (current?.name === 'Dispatcher1Wrapper' && isAgent(agent)) {
    const Wrapper = current as new (dispatcher: unknown) => DispatcherLike;
    const Agent = agent as AgentClass<DispatcherLike>;
    return class extends Wrapper {
      constructor(options: never) {
        super(new Agent(options));
      }
    };
  }
  return undefined;
}

function dispatcherClasses(global: object): (AgentClass<DispatcherLike> | undefined)[] {
  const isNew = Number.parseInt(process.versions.undici ?? '0', 10) >= 8;
  return [isNew ? 2 : 1, 2].map((version) => {
    const key = Symbol.for(`undici.globalDispatcher.${version}`);
    return (global as Record<symbol, object | undefined>)[key]?.constructor as AgentClass<DispatcherLike> | undefined;
  });
}

function unsupported(message: string): CertpinError<'ERR_CLIENT_UNSUPPORTED'> {
  return new CertpinError('ERR_CLIENT_UNSUPPORTED', `certpin/undici: ${message}`, { client: 'undici' });
}
