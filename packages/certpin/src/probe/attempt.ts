import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import type { Peer } from '../core/verdict.ts';
import type { UpgradeProtocol } from '../protocols/contract.ts';
import { observe } from '../tls/observe.ts';
import { converse, dial } from '../wire/dial.ts';
import { enclose } from '../wire/envelope.ts';
import { tunnelFor } from '../wire/tunnel.ts';
import { overheard } from './addresses.ts';
import { explainHandshake } from './handshake-failure.ts';
import type { Settings } from './options.ts';
import type { ServerTarget, SocketTarget } from './target.ts';
import type { Stop } from './time-limit.ts';

/** One connection of a probe. */
export interface Attempt {
  /** undefined: TLS from the first byte. */
  readonly upgrade: UpgradeProtocol | undefined;
  /** Ends the attempt, with a reason. */
  readonly signal: Stop;
}

/** What a connection has found, and where it has led. */
export interface Reached extends Peer {
  /** The IP address that answered. undefined behind a proxy, which looks up the name, and for a unix socket. */
  readonly address?: string;
  /** The other addresses of the name, which were not asked. */
  readonly otherAddresses?: readonly string[];
}

/** Connects, through the proxy if there is one, speaks the plaintext conversation, makes the handshake, and closes. */
export function attempt(
  target: ServerTarget | SocketTarget,
  settings: Settings,
  { upgrade, signal }: Attempt,
): Promise<Reached> {
  return new Promise<Reached>((resolve, reject) => {
    let way: { destroy(): unknown } | undefined;
    const give = (error: unknown): void => {
      signal.removeEventListener('abort', giveUp);
      reject(withAddresses(error));
      way?.destroy();
    };
    const giveUp = (): void => give(signal.reason);
    if (signal.aborted) return giveUp();
    const secureContext = settings.context(); // Before any connection is made: the client's certificate may be unreadable.
    signal.addEventListener('abort', giveUp);

    let addresses: readonly string[] = [];
    const handshake = (raw: Socket): void => {
      const reached = isDirect ? placeOf(raw, addresses) : {};
      const { asksForKind } = settings;
      const explain = (error: Error, wasShown: boolean) => explainHandshake(error, { wasShown, asksForKind });
      const ground = upgrade?.envelope === undefined ? raw : enclose(raw, upgrade.envelope);
      observe(toConnection(target, settings, secureContext, ground), explain).then((peer) => {
        signal.removeEventListener('abort', giveUp);
        resolve({ ...peer, ...reached });
      }, give);
    };
    const talk = (open: (ready: (error?: Error) => void) => Socket): Socket => {
      const socket = open((error) => (error === undefined ? handshake(socket) : give(error)));
      return socket;
    };

    const tunnel = 'host' in target ? tunnelFor(settings.tunnel, target) : undefined;
    const isDirect = 'host' in target && tunnel === undefined;
    if ('socketPath' in target) {
      way = talk((ready) => dial({ path: target.socketPath }, upgrade, ready));
      return;
    }
    const { host, port } = target;
    if (tunnel === undefined) {
      const { address, family } = settings;
      const lookup = overheard(settings.lookup, (found) => {
        addresses = found;
      });
      way = talk((ready) => dial({ host: address ?? host, port, family, lookup }, upgrade, ready));
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

/** If a name has several addresses, Node's error has no message of its own. This message contains what happened at each. */
function withAddresses(error: unknown): unknown {
  if (error instanceof AggregateError && error.message === '')
    error.message = error.errors.map(({ message }: Error) => message).join(', ');
  return error;
}

/** Which address of a name has answered. */
function placeOf({ remoteAddress: address }: Socket, addresses: readonly string[]): Partial<Reached> {
  return address === undefined ? {} : { address, otherAddresses: addresses.filter((other) => other !== address) };
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
