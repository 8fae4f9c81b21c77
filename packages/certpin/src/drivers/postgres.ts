import { setImmediate } from 'node:timers';
import type { Address, Opener } from '../leaf/pinner.ts';
import { createTypeQueryWatch, type TypeQueryWatch } from '../protocols/postgres-types.ts';
import { PinnedStream } from '../wire/pinned-stream.ts';
import { NOWHERE, withPinned, withToJson } from './driver-config.ts';
import type { PostgresOptions } from './postgres-address.ts';

/** What `pinnedPostgres` adds. */
export interface PinnedPostgres {
  /** Connects nowhere. A copy that has lost `socket`, and a client that does not know `socket`, use it. `socket` has the true address. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** `socket` makes the TLS connection. To the driver, it looks like a plain one. */
  readonly ssl: false;
  readonly socket: (driver?: DriverAddress) => PinnedStream;
}

/**
 * The argument that postgres.js passes to a `socket` function: the options that it has read. Its error messages name the server from them.
 */
interface DriverAddress {
  host: string[];
  port: number[];
  path: unknown;
}

/**
 * Options of postgres.js that let `open` open the connections. There is no plaintext path.
 *
 * @param first the host that the driver names in its messages
 */
export function configurePostgres(given: PostgresOptions, first: Address, open: Opener): object {
  const socket = (driver?: DriverAddress): PinnedStream => {
    if (driver !== undefined) Object.assign(driver, { host: [first.host], port: [first.port], path: false });
    return new PostgresStream({ open, mediator: createTypeQueryWatch() }).connect(first.port, first.host);
  };
  const own = {
    // Set here, because the driver prefers these to `hostname` and the environment.
    hostname: undefined,
    host: NOWHERE,
    port: first.port,
    path: NOWHERE,
    ssl: false,
    sslnegotiation: null,
    socket,
  };
  const pinned = withPinned(given, own, 'pinnedPostgres');
  // A printed or logged configuration contains no password. And if somebody puts the address back, it demands TLS.
  const toJSON = () => ({ ...pinned, ssl: true, socket: undefined, password: undefined, pass: undefined });
  return withToJson(pinned, toJSON, 'pinnedPostgres');
}

/** What postgres.js gets in place of its socket. */
class PostgresStream extends PinnedStream {
  declare protected readonly mediator: TypeQueryWatch;

  /** postgres.js treats a given socket as connected, and says goodbye only on one whose state is open. */
  get readyState(): 'closed' | 'open' {
    return this.destroyed ? 'closed' : 'open';
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const end = this.mediator.end();
    if (end.length > 0) this.emit('data', end);
    // The driver delays its writes. They must be dropped before the connection ends. Otherwise the next connection waits for them.
    super._destroy(error, (problem) => void (end.length > 0 ? setImmediate(callback, problem) : callback(problem)));
  }
}
