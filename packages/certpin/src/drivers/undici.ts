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

/** What certpin uses of a dispatcher; the rest is undici's. */
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

/** Options of undici's Agent that would open connections beside certpin's, or that have no effect beside a connector. */
const refusedOptions: Record<string, string> = {
  connect: 'certpin makes the connection itself; TLS options stand in `tls`',
  proxy: 'the connections lead to the server itself',
  factory: 'it may make clients that connect by themselves',
  allowH2: 'HTTP/1.1 is spoken; for HTTP/2 there is certpin/http2',
  useH2c: 'HTTP/2 without TLS has nothing to pin',
  connectTimeout: 'use `connectTimeoutMs`, beside the pins',
  maxCachedSessions: 'TLS sessions are not cached: a resumed one shows no certificate',
  autoSelectFamily: 'it belongs into `tls`',
  autoSelectFamilyAttemptTimeout: 'it belongs into `tls`',
};

/**
 * Every connection is the pinner's; `http:` origins are refused, a redirect to one too.
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
      // undici makes the name of the `Host` header.
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

/** Of what is no error of its own realm `fetch` keeps the text alone. In a sandbox ours is none. */
function errorOfFetch(error: Error & { readonly code?: unknown }): Error {
  const Outer: ErrorConstructor = runInThisContext('Error');
  const { message, code } = error;
  return error instanceof Outer ? error : Object.assign(new Outer(message, { cause: error }), { code });
}

/**
 * A dispatcher whose every connection is the connector's.
 *
 * @param options `Agent`, and what else it takes
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
 * The other dispatchers of undici take the option `connect` too, and connect by themselves where a proxy, an environment variable or a
 * mock says so. So may a class that somebody has derived from any of them. How undici 5 to 8 and Node's builds of them begin:
 */
const AGENT = /^class\s+(?:_?Agent\d*\s+)?extends\s+DispatcherBase\d*\b/;

function isAgent(Class: { readonly name: string } | undefined): boolean {
  return Class?.name === 'Agent' && AGENT.test(String(Class));
}

/** No server has a name in `.invalid` (RFC 6761 §6.4). */
const NOWHERE = 'https://certpin.invalid';

/**
 * Lets another agent of this class, with the same options, ask for a connection that leads nowhere, and looks whether its connector is
 * asked: a request must never leave on a connection that certpin has not made.
 */
function proveAgent(Agent: AgentClass<DispatcherLike>, options: object): void {
  let isAsked = false;
  const connect: PinnedConnector = ({ hostname }, callback) => {
    isAsked = NOWHERE.endsWith(hostname);
    callback(new Error('not sent'), null);
  };
  const agent = new Agent({ ...options, connect } as never);
  const ignore = (): void => undefined;
  // Each undici has names of its own for what a handler has to have.
  const handler = new Proxy({}, { get: () => ignore });
  try {
    agent.dispatch({ origin: NOWHERE, path: '/', method: 'GET' } as never, handler as never);
  } catch {
    // then it has not asked
  }
  agent.destroy().catch(ignore);
  if (!isAsked) throw unsupported('`Agent` does not ask its connector: it cannot be pinned');
}

/**
 * Lets `fetch` make a request that leads nowhere, and looks whether the dispatcher is asked: a `fetch` of another origin than undici's
 * (a polyfill, a mock) passes it over, and would connect by itself.
 */
function proveFetch(send: AnyFetch): Promise<void> {
  return new Promise((resolve, reject) => {
    const dispatch = (): never => {
      resolve();
      throw new Error('not sent');
    };
    const isOver = (): void => reject(unsupported('`fetch` does not use its dispatcher'));
    (async () => send(NOWHERE, { dispatcher: { dispatch } }))().then(isOver, isOver);
  });
}

/** `pinnedFetch`'s result: `fetch`, and the pool behind it, to be closed. */
export type PinnedFetch<Fetch extends AnyFetch> = Fetch & { readonly dispatcher: DispatcherLike };

/**
 * `fetch` that goes through the dispatcher.
 *
 * @param given the `fetch` of the undici whose `Agent` the dispatcher is of. Default: the one that is part of Node
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
 * Takes apart what `fetch` and the dispatcher are made from.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function readFetchOptions<Options extends { readonly fetch?: unknown; readonly Agent?: unknown }>(
  options: Options,
): Options {
  const own = readOptions(options);
  if ((own.fetch === undefined) !== (own.Agent === undefined)) {
    throw invalid('fetch', '`fetch` and `Agent` must be of one undici: give both, or neither');
  }
  return own;
}

/** @throws CertpinError `ERR_OPTION_INVALID` for what is no object */
export function readOptions<Options extends object>(options: Options): Options {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'options must be an object');
  return ownOptions(options);
}

/**
 * The Agent that fits Node's own `fetch`, which Node does not export: the class of the dispatcher that this `fetch` uses. undici 8
 * keeps it under 2, older ones under 1. Where the package undici 8 was loaded first, an older `fetch` finds a wrapper around an Agent
 * of undici 8 there, and gets the same from here.
 *
 * A sandbox (of Jest, of `node:vm`) has a global object of its own; its `fetch` is of the outer one. What was set inside is looked at too.
 */
function builtInAgent(): AgentClass<DispatcherLike> {
  const outer = runInThisContext('globalThis');
  // Asked for, so that Node loads its undici; and used, so that no bundler leaves it out.
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
