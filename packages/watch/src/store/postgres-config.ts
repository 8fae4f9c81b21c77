import { Socket } from 'node:net';
import { findTargets, loadPinsFile, PinsFileError } from '@certpin/pins-file';
import { CertpinError } from 'certpin';
import { pinnedPg } from 'certpin/pg';
import type { PoolConfig } from 'pg';
import { ConfigError } from '../config/config-error.ts';
import type { ReadSecret } from '../config/secret.ts';
import type { PostgresPlace } from '../config/store-place.ts';
import { lookupLoopback } from '../loopback.ts';

/** The driver says where to connect. Without TLS, a name must lead to this machine. */
class LoopbackSocket extends Socket {
  override connect(...values: unknown[]): this {
    const [port, host] = values;
    if (typeof port !== 'number' || typeof host !== 'string') return super.connect(values[0] as string); // a unix socket
    return super.connect({ port, host, lookup: lookupLoopback });
  }
}

/**
 * How the driver reaches the store: under its pins, or on this machine without TLS.
 *
 * @throws ConfigError
 */
export function toPgConfig(place: PostgresPlace, readSecret: ReadSecret): PoolConfig {
  const { host, port, database, user, pinsFile } = place;
  const password = place.password === undefined ? undefined : readSecret(place.password);
  const config = {
    ...{ host, port, database },
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
  if (pinsFile === undefined) return { ...config, ssl: false, stream: () => new LoopbackSocket() };
  try {
    const url = `postgres://${host.includes(':') ? `[${host}]` : host}:${port}`;
    const [entry, second] = findTargets(loadPinsFile(pinsFile), [url]);
    if (entry === undefined || second !== undefined) {
      throw new ConfigError(`${pinsFile}: the server of the store stands in it under several names`);
    }
    const ssl = entry.servername === undefined ? true : { servername: entry.servername };
    return pinnedPg({ ...config, ssl }, entry.policy) as PoolConfig;
  } catch (error) {
    // The words of both name hosts and files.
    if (!(error instanceof CertpinError || error instanceof PinsFileError)) throw error;
    throw new ConfigError(`the pins of the store: ${error.message}`);
  }
}
