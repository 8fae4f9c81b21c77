import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { optionErrors } from '../errors.ts';
import type { Pinner } from '../leaf/pinner.ts';
import { NO_UNIX_SOCKET } from '../wire/late-stream.ts';

const invalid = optionErrors('pinnedIoredis');

/** The options of ioredis that a connector gets. A URL, a port or a host beside them has been read into them. */
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
 * The class for ioredis's option `Connector`: the pinner opens every connection of the client. Each client makes one connector.
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
     * ioredis gets the socket while it still connects, and waits for `secureConnect`. A rejection is final for it: it does not try again.
     * So only a failure that no further attempt can solve is a rejection: a host without pins, or TLS options that Node does not accept.
     */
    connect(): Promise<TLSSocket> {
      this.#isConnecting = true;
      return new Promise((resolve, reject) => {
        // As in ioredis itself: a call of `disconnect` in this tick must still count.
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

/**
 * If there is a `Connector`, ioredis reads neither of these options, and gives no error. Both may also come from beside the configuration.
 */
function refuseOtherWays({ path, sentinels }: ConnectorOptions): void {
  if (path !== undefined && path !== null) throw invalid('path', NO_UNIX_SOCKET);
  if (sentinels === undefined || sentinels === null) return;
  throw invalid('sentinels', 'give `sentinels` to pinnedIoredis; ioredis ignores them if they are added to its result');
}
