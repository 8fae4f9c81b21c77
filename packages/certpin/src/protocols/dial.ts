import { connect, type NetConnectOpts, type Socket, type TcpNetConnectOpts } from 'node:net';
import { CertpinError } from '../core/errors.ts';
import { INLINE } from '../core/form.ts';
import type { MediatedUpgrade, UpgradeProtocol, UpgradeSides, UpgradeStep } from './contract.ts';

/**
 * Opens a connection, TCP or of a unix socket, and holds the protocol's conversation, up to the point where TLS begins.
 *
 * @param protocol undefined: TLS begins at once
 * @param ready called once: with an error, or without one when the next byte belongs to TLS. TLS must be started on the returned
 * socket in the same tick, so that nobody reads in between.
 * @param attach gets what takes the steps that something else than the server's bytes brings about
 * @returns the socket; destroying it ends the attempt
 */
export function dial(
  options: NetConnectOpts,
  protocol: UpgradeProtocol | undefined,
  ready: (error?: Error) => void,
  attach?: (proceed: (step: UpgradeStep) => void) => void,
): Socket {
  return converse(connect(options), 'connect', protocol, ready, attach);
}

/**
 * As {@link dial}, on a socket that is being connected, or is connected and paused.
 *
 * @param opened its event after which the conversation begins; undefined: it begins at once, and `ready` may be called before this
 * returns
 */
export function converse<Opening extends Socket>(
  socket: Opening,
  opened: 'connect' | 'secureConnect' | undefined,
  protocol: UpgradeProtocol | undefined,
  ready: (error?: Error) => void,
  attach: (proceed: (step: UpgradeStep) => void) => void = () => undefined,
): Opening {
  let settled = false;
  const settle = (error?: Error): void => {
    if (settled) {
      // A driver that was shown the greeting failed after it had answered: TLS above finds its socket gone.
      if (error !== undefined) socket.destroy();
      return;
    }
    settled = true;
    socket.off('data', onData).off('error', settle).off('close', onClose);
    if (error !== undefined) socket.destroy();
    // What goes wrong with the socket from now on is reported by the TLS connection above it.
    socket.on('error', () => undefined);
    ready(error);
  };
  const onClose = (): void => {
    const name = protocol?.name ?? 'tls';
    const message = 'the server closed the connection before TLS was established';
    settle(new CertpinError('ERR_CONNECTION_CLOSED', message, { protocol: name }));
  };
  const take = (step: UpgradeStep): void => {
    if (step.next === 'wait') return;
    if (step.bytes !== undefined) socket.write(step.bytes);
    if (step.next !== 'tls') return;
    socket.pause();
    if (!INLINE && step.rest !== undefined && step.rest.length > 0) socket.unshift(step.rest);
    settle();
  };
  const onData = (bytes: Buffer): void => {
    let step: UpgradeStep;
    try {
      step = (protocol as UpgradeProtocol).receive(bytes);
    } catch (error) {
      settle(error as Error);
      return;
    }
    take(step);
  };
  attach(take);

  socket.once('error', settle).once('close', onClose);
  const begin = (): void => {
    if (protocol === undefined) {
      settle();
      return;
    }
    socket.on('data', onData).resume();
    if (protocol.opening !== undefined) socket.write(protocol.opening);
  };
  if (opened === undefined) begin();
  else socket.once(opened, begin);
  return socket;
}

/** As {@link dial}, for an upgrade in which the driver takes part: `show` lets it read what came in plaintext. */
export function dialMediated(
  options: TcpNetConnectOpts,
  mediation: MediatedUpgrade,
  ready: (error?: Error) => void,
  show: UpgradeSides['show'],
): Socket {
  return dial(options, mediation, ready, (proceed) => mediation.attach({ show, proceed }));
}
