import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { optionErrors } from '../errors.ts';
import type { Pinner } from '../leaf/pinner.ts';
import { NO_UNIX_SOCKET } from '../wire/late-stream.ts';

const invalid = optionErrors('pinnedIoredis');

/** What a connector reads of ioredis's options, in which a URL, a port or a host that stood beside them have been read. */
interface ConnectorOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly family?: number | undefined;
  readonly path?: string | undefined;
  readonly sentinels?: unknown;
  readonly disconnectTimeout?: number | undefined;
}

/** What ioredis asks of a connector (lib/connectors/AbstractConnector.ts). */
interface Connector {
  readonly firstError: Error | undefined;
  /** @returns whether the server has the role that is asked for. */
  check(): boolean;
  connect(): Promise<TLSSocket>;
  disconnect(): void;
}

/**
 * The class that stands in ioredis's option `Connector`: every connection of the client is the pinner's. Each of its clients makes one
 * connector.
 *
 * @param tls the client's TLS options
 */
export function createConnector(pinner: Pinner, tls: ConnectionOptions): new (options: unknown) => Connector {
  return class PinnedConnector implements Connector {
    readonly #options: ConnectorOptions;
    #socket: TLSSocket | undefined;
    #isConnecting = false;
    firstError: Error | undefined;

    constructor(options: unknown) {
      this.#options = options as ConnectorOptions;
      refuseOtherWays(this.#options);
    }

    check(): boolean {
      return true;
    }

    /**
     * ioredis gets the socket while it still connects, and waits for `secureConnect`. It takes a rejection for the end: it would not try
     * again. So only what no further attempt can mend is one: a host without pins, TLS options that Node does not take.
     */
    connect(): Promise<TLSSocket> {
      this.#isConnecting = true;
      return new Promise((resolve, reject) => {
        // As ioredis's own: who disconnects in this tick is in time.
        process.nextTick(() => {
          if (!this.#isConnecting) return reject(new Error('Connection is closed.'));
          try {
            const { host, port, family } = this.#options;
            const socket = pinner.open({ host, port, family, ...tls } as ConnectionOptions, pinner.connectTimeoutMs);
            this.#socket = socket.once('error', (error) => {
              this.firstError = error;
            });
            resolve(socket);
          } catch (error) {
            reject(error);
          }
        });
      });
    }

    disconnect(): void {
      this.#isConnecting = false;
      const socket = this.#socket;
      if (socket === undefined) return;
      // The answers to what was sent may still come.
      const timer = setTimeout(() => socket.destroy(), this.#options.disconnectTimeout ?? DISCONNECT_TIMEOUT_MS);
      socket.once('close', () => clearTimeout(timer)).end();
    }
  };
}

/** ioredis's own default. */
const DISCONNECT_TIMEOUT_MS = 2_000;

/** ioredis reads neither where there is a `Connector`, and says nothing of it. Both may come from what stands beside the configuration. */
function refuseOtherWays({ path, sentinels }: ConnectorOptions): void {
  if (path !== undefined && path !== null) throw invalid('path', NO_UNIX_SOCKET);
  if (sentinels === undefined || sentinels === null) return;
  throw invalid('sentinels', 'give `sentinels` to pinnedIoredis: added to its result, they would not be asked');
}
