import type { ConnectionOptions } from 'node:tls';
import { optionErrors } from '../errors.ts';
import { NO_UNIX_SOCKET } from '../wire/late-stream.ts';
import { readDriverConfig, withOwn } from './driver-config.ts';
import { type RedisUrl, readRedisUrl } from './redis-url.ts';
import type { SeenTls } from './seen.ts';

const where = 'pinnedRedis';
const invalid = optionErrors(where);

/** TLS options under which certpin pins the client's own connections. They are made from those in the configuration. */
export type SeeTls = (tls: object) => SeenTls;

/** What is read of the configuration of one client of node-redis 4 and newer. Everything else passes through untouched. */
interface ClientConfig {
  readonly url?: string | undefined;
  readonly socket?: object | undefined;
}

/** As {@link ClientConfig}, but for node-redis 3: the options of the connection are at the top level, and TLS options in `tls`. */
interface OldConfig {
  readonly url?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  readonly tls?: unknown;
}

/** What is read of the configuration of a cluster, of sentinels, or of one client. */
export interface NodeRedisConfig extends ClientConfig, OldConfig {
  readonly rootNodes?: readonly ClientConfig[] | undefined;
  readonly defaults?: ClientConfig | undefined;
  readonly sentinelRootNodes?: readonly object[] | undefined;
  readonly nodeClientOptions?: ClientConfig | undefined;
  readonly sentinelClientOptions?: ClientConfig | undefined;
}

/** The options of the connection for one client of node-redis 4 and newer. */
export type PinnedSocket = SeenTls & { readonly tls: true; readonly host?: string; readonly port?: number };

/**
 * A configuration of node-redis in which every connection is pinned: for one client, a cluster, or sentinels and the servers that they
 * name.
 */
export function configureNodeRedis(config: NodeRedisConfig, see: SeeTls): object {
  const given = readConfig(config);
  const { rootNodes, defaults = {}, sentinelRootNodes, nodeClientOptions = {}, sentinelClientOptions = {} } = given;
  const pin = (options: ClientConfig): object => pinClient(readConfig(options), see);
  if (rootNodes !== undefined) return withOwn(given, { rootNodes: rootNodes.map(pin), defaults: pin(defaults) });
  if (sentinelRootNodes !== undefined) {
    const both = { nodeClientOptions: pin(nodeClientOptions), sentinelClientOptions: pin(sentinelClientOptions) };
    return withOwn(given, both);
  }
  const isOld = ['tls', 'host', 'port'].some((option) => Object.hasOwn(given, option));
  return isOld ? pinOldClient(given, see) : holdClient(pinClient(given, see));
}

function readConfig<Config extends ClientConfig>(config: Config): Config {
  return readDriverConfig(
    config,
    { path: NO_UNIX_SOCKET, stream: 'certpin sees the connection that the client makes; remove `stream`' },
    where,
  );
}

function readUrl({ url }: { readonly url?: string | undefined }): RedisUrl {
  return url === undefined ? {} : readRedisUrl(url, where);
}

/** What else a client reads of `socket`, besides the options of `tls.connect`. */
export const socketKeys: readonly string[] = ['tls', 'connectTimeout', 'reconnectStrategy', 'socketTimeout'];

/** The socket of a client, with its address if one is given. For a node that is found later, the client fills in the address. */
function pinClient(given: ClientConfig, see: SeeTls): { readonly socket: PinnedSocket } {
  const { host, port, db, ...login } = readUrl(given);
  const address = { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
  const socket = { ...given.socket, ...address } as ConnectionOptions & { readonly tls?: boolean };
  if (socket.tls !== undefined && socket.tls !== true) throw invalid('socket.tls', 'there is always TLS; remove `tls`');
  const pinned = { ...see(socket), tls: true } as PinnedSocket;
  const { url: _, ...rest } = Object.getOwnPropertyDescriptors(given);
  const client = Object.defineProperties({}, rest) as object;
  return withOwn(client, { ...login, ...(db === undefined ? {} : { database: db }), socket: pinned });
}

/** One client alone. node-redis 3 does not know `socket`. What it reads in `tls` leads it to the same server. */
function holdClient<Client extends { readonly socket: PinnedSocket }>({ socket, ...client }: Client): object {
  const { host = 'localhost', port = 6379 } = socket;
  // A server that moves tells the client its new address (MOVING). The client puts this address into a copy.
  const isPinned = (given: unknown): boolean => {
    const { secureContext, tls } = Object(given) as PinnedSocket;
    return secureContext === socket.secureContext && tls === true;
  };
  return hold(hold(client, 'socket', socket, isPinned), 'tls', { ...socket, host, port });
}

/** Not a possible host name: a label has at most 63 characters (RFC 1035 §2.3.4), and this domain does not exist (RFC 6761 §6.4). */
const NOWHERE = 'rediss://certpin-the-pinned-tls-was-lost-hand-on-the-whole-configuration-of-node-redis-3.invalid';

/**
 * node-redis 3 takes first the address in `tls`, then the address of a URL. So a copy that has lost its `tls` connects nowhere. A newer
 * client does not either.
 */
function pinOldClient(given: OldConfig, see: SeeTls): object {
  const { host = given.host ?? '127.0.0.1', port = given.port ?? 6379, username: user, password, db } = readUrl(given);
  const login = Object.entries({ user, password, db }).filter(([, value]) => value !== undefined);
  if (given.tls !== undefined && typeof given.tls !== 'object') throw invalid('tls', '`tls` must be TLS options');
  const tls = { ...see({ ...given.tls }), host, port: Number(port) };
  const client = withOwn(given, { ...Object.fromEntries(login), host, port });
  return hold(hold(client, 'tls', tls), 'url', NOWHERE);
}

/**
 * A property that nobody can overwrite. An attempt gets an error in plain words.
 *
 * @param isTaken whether a value may take its place
 */
function hold<Held extends object>(
  held: Held,
  key: string,
  value: unknown,
  isTaken: (given: unknown) => boolean = () => false,
): Held {
  let current = value;
  const set = (given: unknown): void => {
    if (!isTaken(given)) throw invalid(key, `\`${key}\` is certpin's own; give it to pinnedRedis`);
    current = given;
  };
  return Object.defineProperty(held, key, { get: () => current, set, enumerable: true });
}
