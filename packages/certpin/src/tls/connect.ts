import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { watchOpen } from './attempt.ts';
import { createPinner } from './guard.ts';
import { type GivenGuardOptions, type GuardOptions, splitOptions } from './options.ts';

/** The options of `tls.connect`, without those that have no meaning together with a pin; and a policy. */
export type PinnedConnectionOptions = ConnectionSettings & GivenGuardOptions;

interface ConnectionSettings
  extends Omit<
      ConnectionOptions,
      'rejectUnauthorized' | 'checkServerIdentity' | 'session' | 'pskCallback' | 'secureProtocol'
    >,
    GuardOptions {
  /** Ends the attempt, or later the connection, with an `AbortError`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A drop-in for `tls.connect(options, listener)` that takes a policy beside the options.
 *
 * - `secureConnect` is emitted only after a matching verdict; then `authorized` is true.
 * - On a refusal the socket is destroyed with a {@link CertpinError} in its `error` event, and what had been written is dropped.
 * - `options.socket` may be a connected or connecting `net.Socket`, or any `Duplex`.
 * - The server name is sent for names and never for IP addresses; TLS 1.2 is the minimum; renegotiation is off.
 *
 * ```ts
 * import { connect } from 'certpin/tls';
 * const socket = connect({ host: 'db.example.com', port: 6514, pins: process.env.DB_PINS }, () => socket.write('hello'));
 * socket.on('error', (error) => console.error(error.message));
 * ```
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, at once, for a configuration that cannot be used
 */
export function connect(options: PinnedConnectionOptions, secureConnectListener?: () => void): TLSSocket {
  const { guarded, rest } = splitOptions(options, [], 'connect');
  const socket = watchOpen(createPinner(guarded), 'tls').open(rest as ConnectionOptions, guarded.connectTimeoutMs);
  if (secureConnectListener !== undefined) socket.once('secureConnect', secureConnectListener);
  return socket;
}
