import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import type { Peer } from '../core/verdict.ts';
import type { UpgradeProtocol } from '../protocols/contract.ts';
import { observe } from '../tls/observe.ts';
import { converse, dial } from '../wire/dial.ts';
import { tunnelFor } from '../wire/tunnel.ts';
import { enclose } from './envelope.ts';
import { explainHandshake } from './handshake-failure.ts';
import type { Settings } from './options.ts';
import type { ServerTarget, SocketTarget } from './target.ts';
import type { Stop } from './time-limit.ts';

/** One connection of a probe. */
export interface Attempt {
  /** undefined: TLS from the first byte. */
  readonly upgrade: UpgradeProtocol | undefined;
  /** Ends it, with its reason. */
  readonly signal: Stop;
}

/** Connects, through the proxy where there is one, holds the upgrade, makes the handshake, and closes. */
export function attempt(
  target: ServerTarget | SocketTarget,
  settings: Settings,
  { upgrade, signal }: Attempt,
): Promise<Peer> {
  return new Promise<Peer>((resolve, reject) => {
    let way: { destroy(): unknown } | undefined;
    const give = (error: unknown): void => {
      signal.removeEventListener('abort', giveUp);
      reject(withAddresses(error));
      way?.destroy();
    };
    const giveUp = (): void => give(signal.reason);
    if (signal.aborted) return giveUp();
    const secureContext = settings.context(); // before anybody is connected to: the client's certificate may be unreadable
    signal.addEventListener('abort', giveUp);

    const handshake = (raw: Socket): void => {
      observe(toConnection(target, settings, secureContext, enclose(raw, upgrade?.envelope)), explainHandshake).then(
        (peer) => {
          signal.removeEventListener('abort', giveUp);
          resolve(peer);
        },
        give,
      );
    };
    const talk = (open: (ready: (error?: Error) => void) => Socket): Socket => {
      const socket = open((error) => (error === undefined ? handshake(socket) : give(error)));
      return socket;
    };

    if ('socketPath' in target) {
      way = talk((ready) => dial({ path: target.socketPath }, upgrade, ready));
      return;
    }
    const { host, port } = target;
    const tunnel = tunnelFor(settings.tunnel, { host, port });
    if (tunnel === undefined) {
      way = talk((ready) => dial({ host, port, family: settings.family }, upgrade, ready));
      return;
    }
    const greets = upgrade !== undefined && upgrade.opening === undefined;
    way = tunnel({ host, port, greets }, (error, raw) => {
      if (raw === undefined) give(error);
      else if (upgrade === undefined) handshake(raw);
      else talk((ready) => converse(raw, undefined, upgrade, ready));
    });
  });
}

/** Where a name has several addresses, Node's error has no message of its own: what became of each stands in it. */
function withAddresses(error: unknown): unknown {
  if (error instanceof AggregateError && error.message === '')
    error.message = error.errors.map(({ message }: Error) => message).join(', ');
  return error;
}

function toConnection(
  target: ServerTarget | SocketTarget,
  { servername }: Settings,
  secureContext: SecureContext,
  socket: Duplex,
): ConnectionOptions {
  const { host, port, alpn }: Partial<ServerTarget> = 'socketPath' in target ? {} : target;
  const address = host === undefined ? {} : { host, port };
  const protocols = alpn && { ALPNProtocols: [alpn] };
  return { ...address, ...protocols, socket, secureContext, servername: servername ?? host ?? '' };
}
