import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { createContexts } from './contexts.ts';
import { noVerification, openTls } from './handshake.ts';
import { intercept } from './intercept.ts';
import { judgeLeaf } from './judge.ts';
import { ownOptions, readConnectTimeout } from './options.ts';
import { createLeafPolicy, type LeafPolicyOptions } from './policy.ts';
import { calledServer, requestName } from './server-name.ts';

/** A server, as a driver asks for it. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Waits for a connection. It gets the verified socket, or is destroyed with the error. */
export interface Waiting {
  adopt(socket: TLSSocket): void;
  destroy(error?: Error): unknown;
}

/** A connection that is being made. */
export interface Attempt {
  destroy(): unknown;
}

/** Opens the verified connection for a driver's stream. The returned object is destroyed with the stream. */
export type Opener = (address: Address, stream: Waiting) => Attempt;

/** Called at the end of an attempt, with its error. Without an error, the client has its connection. */
export type EndAttempt = (error?: unknown, socket?: { readonly remoteAddress?: string | undefined }) => void;

/** All that a client's adapter sees of a policy. */
export interface Pinner {
  /**
   * Opens a TLS connection that nobody can use before its verdict.
   *
   * Like `tls.connect`, it returns the socket at once, while it still connects. `secureConnect` is emitted only after a matching verdict.
   * On a refusal, the socket is destroyed with the error in the tick in which the handshake ends, and written data is dropped. A check in a
   * later tick is too late, because the queued bytes have left by then.
   *
   * @param options those of `tls.connect`. With a given `socket`, `host` and `port` say to which server it leads. `servername` must come
   * from the configuration
   * @param limitMs milliseconds until the attempt is given up. 0, or undefined: no limit
   * @param requestedName the server name to send for a request, if the configuration gives none. It decides nothing
   * @throws CertpinError `ERR_HOST_UNPINNED` before anything is opened; and what `tls.connect` throws
   */
  open(options: ConnectionOptions, limitMs?: number, requestedName?: string | null): TLSSocket;
  /** Longest time from a client's call to the verdict, in milliseconds; 0: no limit. */
  readonly connectTimeoutMs: number;
  /** The error of a server without pins, which is not called. undefined: the server may be called. */
  readonly refusalOf?: ((options: ConnectionOptions) => Error | undefined) | undefined;
  /** Begins an attempt of a client that speaks before TLS. undefined: nobody listens for the end of attempts. */
  readonly begin?: ((options: ConnectionOptions) => EndAttempt | undefined) | undefined;
  /** Wraps the opener of a client whose server is first asked for TLS: this opener begins the attempt. */
  readonly around?: ((open: Opener, tls: ConnectionOptions) => Opener) | undefined;
}

export interface LeafPinnerOptions extends LeafPolicyOptions {
  /** Default 10 000. */
  readonly connectTimeoutMs?: number | undefined;
}

/**
 * The pinner that decides by the leaf alone.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`
 */
export function createLeafPinner(options: LeafPinnerOptions): Pinner {
  const { connectTimeoutMs, ...others } = ownOptions(options ?? {});
  const policy = createLeafPolicy(others);
  const contextFor = createContexts();
  return {
    connectTimeoutMs: readConnectTimeout(connectTimeoutMs),
    open: (given, limitMs, requestedName) => {
      const own = ownOptions(given);
      const server = calledServer(own);
      requestName(own, requestedName);
      const socket = openTls(Object.assign(own, noVerification), limitMs, contextFor);
      return intercept(socket, judgeLeaf(socket, policy, server));
    },
  };
}
