import type { ConnectionOptions } from 'node:tls';
import { readDriverConfig, type TrustlessTls, trustlessTls, withPinned } from '../drivers/driver-config.ts';
import { createConnector } from '../drivers/ioredis.ts';
import { configureNodeRedis, type NodeRedisConfig, type PinnedSocket, socketKeys } from '../drivers/node-redis.ts';
import { type RedisUrl, readRedisUrl } from '../drivers/redis-url.ts';
import type { RedisConfigTypes } from '../drivers/refused-types.ts';
import { type SeenTls, seenTls } from '../drivers/seen.ts';
import { optionErrors } from '../errors.ts';
import { readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, seenPinnerOf, tlsPinnerOf } from '../tls/pinner-of.ts';
import { NO_UNIX_SOCKET } from '../wire/late-stream.ts';

/** What `pinnedIoredis` reads of ioredis's options; everything else passes through untouched. */
interface IoredisConfig {
  readonly tls?: unknown;
  readonly Connector?: unknown;
  readonly path?: unknown;
  readonly sentinels?: unknown;
  readonly sentinelTLS?: unknown;
  readonly enableTLSForSentinelMode?: unknown;
}

/** What `pinnedIoredis` adds. */
export interface PinnedIoredis {
  /** Makes the TLS connection; the client makes none. */
  readonly Connector: new (
    options: unknown,
  ) => never;
  /**
   * Used by what has no connector: the subscriber of a cluster, or a copy that has lost the class. On a Node that announces TLS sockets,
   * certpin pins this connection. On others, Node verifies the server against an empty list of CAs, so it refuses every server.
   */
  readonly tls: SeenTls | TrustlessTls;
}

/** What `pinnedIoredis` adds if sentinels name the server. */
export interface PinnedIoredisSentinel {
  readonly tls: SeenTls;
  readonly sentinelTLS: SeenTls;
  readonly enableTLSForSentinelMode: true;
}

/**
 * Options for ioredis's `new Redis`, and for the `redisOptions` of its `Cluster`. User name, password and commands leave only after a
 * matching verdict; there is no plaintext path.
 *
 * ```ts
 * import { Redis } from 'ioredis';
 * import { pinnedIoredis } from 'certpin/redis';
 * const redis = new Redis(pinnedIoredis({ host: 'cache.example.com', username: 'app', password }, { pins }));
 * redis.on('error', (error) => console.error(error.message));
 * ```
 *
 * If `sentinels` is given, the sentinels are pinned too. That needs a Node that announces TLS sockets. Needs ioredis 4.11 or newer.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_PLAINTEXT_REFUSED`, `ERR_CLIENT_UNSUPPORTED`, at once, if the
 * configuration cannot be used. The client emits `error` with the error of a refused connection. The errors of its commands do not contain
 * it
 */
export function pinnedIoredis(url: string, policy: PolicyInput): RedisUrl & PinnedIoredis;
export function pinnedIoredis<Config extends object>(
  config: Config & RedisConfigTypes<Config, 'Connector' | 'path'>,
  policy: PolicyInput,
): Config extends { readonly sentinels: unknown }
  ? Omit<Config, keyof PinnedIoredisSentinel> & PinnedIoredisSentinel
  : Omit<Config, keyof PinnedIoredis> & PinnedIoredis;
export function pinnedIoredis(config: string | IoredisConfig, policy: PolicyInput): object {
  const where = 'pinnedIoredis';
  const given = readDriverConfig<IoredisConfig>(
    typeof config === 'string' ? (readRedisUrl(config, where) as IoredisConfig) : config,
    { Connector: 'certpin makes the connector itself; remove `Connector`', path: NO_UNIX_SOCKET },
    where,
  );
  const { sentinels, sentinelTLS, enableTLSForSentinelMode } = given;
  const tls = readRedisTls(given.tls, 'tls');
  if (sentinels === undefined || sentinels === null) {
    const Connector = createConnector(tlsPinnerOf(policy, 'redis'), tls);
    return withPinned(given, { Connector, tls: otherTls(policy, tls) }, where);
  }
  if (enableTLSForSentinelMode !== undefined && enableTLSForSentinelMode !== true) {
    const message = 'an unpinned connection is refused: there is always TLS; remove `enableTLSForSentinelMode`';
    throw optionErrors(where)('enableTLSForSentinelMode', message);
  }
  const pinner = seenPinnerOf(policy, 'redis');
  const own = {
    tls: seenTls(pinner, tls, where),
    sentinelTLS: seenTls(pinner, readRedisTls(sentinelTLS, 'sentinelTLS'), where),
    enableTLSForSentinelMode: true,
  };
  return withPinned(given, own, where);
}

/**
 * The client's own TLS options. The name of a profile (`RedisCloudFixed`) stands for a list of CAs. `false` and `null` contradict a pin.
 */
function readRedisTls(tls: unknown, where: string): ConnectionOptions {
  return tls === undefined || tls === true ? {} : readTlsOptions(tls as ConnectionOptions, where);
}

/** For connections that ioredis makes without the connector. If certpin cannot pin such a connection, Node refuses its server. */
function otherTls(policy: PolicyInput, tls: ConnectionOptions): PinnedIoredis['tls'] {
  try {
    return seenTls(seenPinnerOf(policy, 'redis'), tls, 'pinnedIoredis');
  } catch {
    return trustlessTls();
  }
}

/** What `pinnedRedis` adds to the configuration of one client of node-redis 4 and newer. */
export interface PinnedRedis {
  readonly socket: PinnedSocket;
}

/**
 * A configuration for node-redis: `createClient`, `createClientPool`, `createCluster`, `createSentinel`. User name, password and commands leave
 * only after a matching verdict; there is no plaintext path.
 *
 * ```ts
 * import { createClient } from 'redis';
 * import { pinnedRedis } from 'certpin/redis';
 * const client = createClient(pinnedRedis('rediss://app:password@cache.example.com:6380', { pins }));
 * client.on('error', (error) => console.error(error.message));
 * ```
 *
 * Needs a Node that announces TLS sockets: 22.17, 24.2 or newer. It works for node-redis 3 too, which has `host`, `port` and `tls` at the
 * top level.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_PLAINTEXT_REFUSED`, at once, if the configuration cannot be used;
 * `ERR_CLIENT_UNSUPPORTED` on another Node. `connect()` rejects with the error of a refused connection, unchanged, and the client emits
 * `error` with it
 */
export function pinnedRedis(url: string, policy: PolicyInput): Omit<RedisUrl, 'host' | 'port' | 'db'> & PinnedRedis;
export function pinnedRedis<Config extends object>(
  config: Config & RedisConfigTypes<Config, 'path' | 'stream'>,
  policy: PolicyInput,
): Config extends { readonly rootNodes: unknown } | { readonly sentinelRootNodes: unknown }
  ? Config
  : Omit<Config, 'url' | keyof PinnedRedis> & PinnedRedis;
export function pinnedRedis(config: string | NodeRedisConfig, policy: PolicyInput): object {
  const pinner = seenPinnerOf(policy, 'redis');
  return configureNodeRedis(typeof config === 'string' ? { url: config } : config, (tls) =>
    seenTls(pinner, readTlsOptions(tls, 'socket', socketKeys), 'pinnedRedis'),
  );
}
