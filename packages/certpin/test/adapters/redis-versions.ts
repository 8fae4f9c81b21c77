// The versions of both clients of Redis that are tested on this Node. They do not share their types.
import { createRequire } from 'node:module';
import type { Cluster, Redis } from 'ioredis';
import { findPackage, requirePackage, supportsNode } from '../../../../dev/tools/nodes/packages.ts';

const require = createRequire(import.meta.url);

/** What of each ioredis is used, by shape. */
export interface IoredisModule {
  new (...options: unknown[]): Redis;
  readonly Cluster: new (nodes: readonly unknown[], options: object) => Cluster;
}

export const ioredisVersions: Record<string, IoredisModule> = {
  'ioredis 5.11': require('ioredis'),
  'ioredis 4.31': require('ioredis-4'),
  ...newest('ioredis 6.0', 'ioredis-6'),
};

/** What of each node-redis from 4 on is used, by shape. */
export type RedisModule = Pick<typeof import('redis'), 'createClient' | 'createCluster' | 'createSentinel'>;

export const redisVersions: Record<string, RedisModule> = {
  'redis 5.12': require('redis'),
  'redis 4.7': require('redis-4'),
  ...newest('redis 6.3', 'redis-6'),
};

/** One of `dev/tools/nodes`, where it is for this Node. */
function newest(name: string, alias: string): Record<string, never> {
  const found = findPackage(alias);
  return found !== undefined && supportsNode(found, process.version) ? { [name]: requirePackage(alias) as never } : {};
}
