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

/** What waits for a connection: it is given the verified socket, or destroyed with the error. */
export interface Waiting {
  adopt(socket: TLSSocket): void;
  destroy(error?: Error): unknown;
}

/** A connection that is being made. */
export interface Attempt {
  destroy(): unknown;
}

/** Opens the verified connection for a stream of a driver. What it returns is destroyed with the stream. */
export type Opener = (address: Address, stream: Waiting) => Attempt;

/** Is told the end of an attempt: its error, or none where the client has its connection. */
export type EndAttempt = (error?: unknown, socket?: { readonly remoteAddress?: string | undefined }) => void;

/** All that a client's adapter sees of a policy. */
export interface Pinner {
  /**
   * Opens a TLS connection that nobody can use before its verdict.
   *
   * Returned at once, still connecting, like `tls.connect`'s. `secureConnect` is emitted only after a matching verdict. On a refusal
   * the socket is destroyed with the error in the same tick in which the handshake ends, and whatever had been written is dropped:
   * a check in a later tick is too late, for then the queued bytes have left.
   *
   * @param options those of `tls.connect`. With a given `socket`, `host` and `port` say whom it leads to. `servername` is one that the
   * configuration gives
   * @param limitMs milliseconds until the attempt is given up; 0, or undefined: never
   * @param requestedName what a request wants to be sent as the server name, where the configuration gives none. It decides nothing
   * @throws CertpinError `ERR_HOST_UNPINNED` before anything is opened; and what `tls.connect` throws
   */
  open(options: ConnectionOptions, limitMs?: number, requestedName?: string | null): TLSSocket;
  /** Longest time from a client's call to the verdict, in milliseconds; 0: no limit. */
  readonly connectTimeoutMs: number;
  /** Why a server is not even called, before anything is opened: it has no pins. undefined: it may be called. */
  readonly refusalOf?: ((options: ConnectionOptions) => Error | undefined) | undefined;
  /** A client that speaks before TLS begins an attempt. undefined: nobody wants to hear of its end. */
  readonly begin?: ((options: ConnectionOptions) => EndAttempt | undefined) | undefined;
  /** Wraps the opener of a client whose server is asked for TLS first, because this opener begins the attempt. */
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
