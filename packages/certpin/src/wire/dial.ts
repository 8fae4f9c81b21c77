import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { ownOptions } from '../leaf/options.ts';
import type { UpgradeProtocol, UpgradeStep } from '../protocols/contract.ts';
import { closedEarly } from '../protocols/upgrade-errors.ts';

/**
 * Opens a connection, by TCP or to a unix socket, and speaks the protocol's plaintext conversation, up to the point where TLS begins.
 *
 * @param protocol undefined: TLS begins at once
 * @param ready called once: with an error, or without one when the next byte belongs to TLS. TLS must be started on the returned socket in
 * the same tick, so that nobody reads in between
 * @returns the socket. Destroying it ends the attempt
 */
export function dial(
  options: NetConnectOpts,
  protocol: UpgradeProtocol | undefined,
  ready: (error?: Error) => void,
): Socket {
  return converse(connect(ownOptions(options)), 'connect', protocol, ready);
}

/**
 * As {@link dial}, on a socket that still connects, or is connected and paused.
 *
 * @param opened the event after which the conversation begins. undefined: it begins at once, and `ready` may be called before this returns.
 * After the conversation, the TLS connection above reports errors of the socket
 */
export function converse<Opening extends Socket>(
  socket: Opening,
  opened: 'connect' | 'secureConnect' | undefined,
  protocol: UpgradeProtocol | undefined,
  ready: (error?: Error) => void,
): Opening {
  let settled = false;
  const settle = (error?: Error): void => {
    if (settled) return;
    settled = true;
    socket.off('data', onData);
    ready(error);
  };
  const take = (step: UpgradeStep): void => {
    if (step.isOver) {
      settled = true;
      socket.destroy();
    }
    if (step.bytes !== undefined) socket.write(step.bytes);
    if (step.next !== 'tls') return;
    socket.pause();
    if (step.rest !== undefined && step.rest.length > 0) socket.unshift(step.rest);
    settle();
  };
  const onData = (bytes: Buffer): void => {
    try {
      take((protocol as UpgradeProtocol).receive(bytes));
    } catch (error) {
      socket.destroy(error as Error);
    }
  };

  socket.on('error', settle).once('close', () => settle(closedEarly(protocol?.name ?? 'tls')));
  const begin = (): void => {
    if (protocol === undefined) {
      settle();
      return;
    }
    socket.on('data', onData).resume();
    protocol.attach?.(take);
    if (protocol.opening !== undefined) socket.write(protocol.opening);
  };
  if (opened === undefined) begin();
  else socket.once(opened as 'connect', begin);
  return socket;
}
