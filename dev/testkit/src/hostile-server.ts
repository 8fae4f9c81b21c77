import { once } from 'node:events';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { createServer as createTlsServer, type Server } from 'node:tls';
import type { SuiteProtocol } from './conformance.ts';
import { answerStartTls } from './ldap.ts';
import type { Minted } from './mint.ts';
import { mysqlGreeting } from './mysql-script.ts';
import { asTdsServer } from './tds-envelope.ts';
import { encryption, preloginAnswer } from './tds-messages.ts';
import { credentials } from './tls-server.ts';

/** What somebody without any key can put after, or into, a handshake. Each ends the connection in OpenSSL, with a different error. */
export const brokenRecords = {
  'a record of an unknown type': Buffer.from([0x50, 3, 3, 0, 4, 1, 2, 3, 4]),
  'data that was not encrypted with the key': Buffer.concat([Buffer.from([0x17, 3, 3, 0, 32]), Buffer.alloc(32, 7)]),
  'a record that is too long': Buffer.from([0x17, 3, 3, 0xff, 0xff, 1]),
  'an alert': Buffer.from([0x15, 3, 3, 0, 2, 2, 40]),
  '40 kB of nonsense': Buffer.alloc(40_000, 0x50),
} as const;

export type BrokenRecord = keyof typeof brokenRecords;

/** The step of a connection at which the server becomes hostile. Everything before it is genuine. */
export type HostileStep =
  | 'connect' // the connection is accepted
  | 'upgrade' // TLS should begin. In protocols that ask for TLS, this is after the answer
  | 'hello' // the client has said ClientHello
  | 'middle' // half of the first flight has left
  | 'flight'; // the last flight of the handshake has left

/** What a server does with one connection. */
export interface HostilePlan {
  readonly version: 'TLSv1.2' | 'TLSv1.3';
  readonly step: HostileStep;
  readonly act: BrokenRecord | 'reset' | 'end';
  /** Milliseconds after the step. 0: at once, for a record in the packet that ends the flight. */
  readonly afterMs: number;
}

/** Servers of one protocol with one certificate, a port for each plan. Behind the handshake they say nothing. */
export interface HostileServers {
  /** @returns the port, on 127.0.0.1 */
  readonly open: (plan: HostilePlan) => Promise<number>;
  /** Application bytes that all of them have received, decrypted. */
  readonly received: () => number;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

export function startHostileServers(protocol: SuiteProtocol, certificate: Minted): HostileServers {
  const listeners: NetServer[] = [];
  const sockets = new Set<Socket>();
  let received = 0;
  let connections = 0;
  const tlsServers = Object.fromEntries(
    (['TLSv1.2', 'TLSv1.3'] as const).map((version) => {
      const alpn = protocol === 'http2' ? { ALPNProtocols: ['h2'] } : {};
      const server = createTlsServer({
        ...credentials(certificate),
        ...alpn,
        minVersion: version,
        maxVersion: version,
      });
      server
        .on('tlsClientError', () => undefined)
        .on('secureConnection', (socket) => {
          socket
            .on('error', () => undefined)
            .on('data', (bytes: Buffer) => {
              received += bytes.length;
            });
        });
      return [version, server];
    }),
  ) as Record<HostilePlan['version'], Server>;

  const open = async (plan: HostilePlan): Promise<number> => {
    const listener = createServer({ noDelay: true }, (socket) => {
      connections++;
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      if (plan.step === 'connect') return act(socket, plan);
      upgrades[protocol](socket, (ground) => {
        if (plan.step === 'upgrade') act(socket, plan);
        else if (plan.step === 'hello') socket.once('data', () => act(socket, plan));
        else tlsServers[plan.version].emit('connection', misbehave(ground, socket, plan));
      });
    }).listen(0, '127.0.0.1');
    listeners.push(listener);
    await once(listener, 'listening');
    return (listener.address() as AddressInfo).port;
  };
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(listeners.map((listener) => once(listener.close(), 'close')));
  };
  return { open, received: () => received, connections: () => connections, close };
}

/** What is said before TLS. `begin` is called in the tick in which the next byte belongs to TLS, with the stream for TLS. */
const upgrades: Record<SuiteProtocol, (socket: Socket, begin: (ground: Duplex) => void) => void> = {
  tls: (socket, begin) => begin(socket),
  http2: (socket, begin) => begin(socket),
  ldaps: (socket, begin) => begin(socket),
  ldap: (socket, begin) => {
    socket.once('data', () => {
      socket.write(answerStartTls(1));
      begin(socket);
    });
  },
  postgres: (socket, begin) => {
    socket.once('data', () => {
      socket.write('S');
      begin(socket);
    });
  },
  mysql: (socket, begin) => {
    socket.write(mysqlGreeting());
    socket.once('readable', function take() {
      if (socket.read(SSL_REQUEST_BYTES) === null) socket.once('readable', take);
      else begin(socket);
    });
  },
  tds: (socket, begin) => {
    socket.once('readable', () => {
      socket.read();
      socket.write(preloginAnswer(encryption.on));
      begin(asTdsServer(socket, { contents: [4088], leaves: true }));
    });
  },
};

const SSL_REQUEST_BYTES = 36;

function act(socket: Socket, { act: what, afterMs }: HostilePlan): void {
  const now = (): void => {
    if (socket.destroyed) return;
    if (what === 'reset') socket.resetAndDestroy();
    else if (what === 'end') socket.end();
    else socket.write(brokenRecords[what]);
  };
  // Not during the call in which Node's TLS writes the flight: it would continue with a stream that is gone.
  if (afterMs === 0) setImmediate(now);
  else setTimeout(now, afterMs);
}

/** The wire below the server's TLS. It does what was planned with one of the server's flights. */
function misbehave(ground: Duplex, socket: Socket, plan: HostilePlan): Duplex {
  // RFC 8446 §2: the server's only flight of the handshake. RFC 5246 §7.3: its second one holds Finished.
  const last = plan.step === 'middle' || plan.version === 'TLSv1.3' ? 1 : 2;
  let flights = 0;
  let isOver = false;
  const send = (flight: Buffer): void => {
    flights++;
    if (isOver) return;
    if (flights !== last) return void ground.write(flight);
    const isRecord = plan.act in brokenRecords;
    if (plan.step === 'middle') {
      isOver = true;
      ground.write(flight.subarray(0, flight.length / 2));
      act(socket, plan);
    } else if (isRecord && plan.afterMs === 0) {
      ground.write(Buffer.concat([flight, brokenRecords[plan.act as BrokenRecord]]));
    } else {
      ground.write(flight);
      act(socket, plan);
    }
  };
  const wire = new Duplex({
    read: () => void ground.resume(),
    write: (flight: Buffer, _, done) => {
      send(flight);
      done();
    },
    // A flight may be more than one piece to OpenSSL.
    writev: (pieces, done) => {
      send(Buffer.concat(pieces.map(({ chunk }) => chunk as Buffer)));
      done();
    },
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  ground.on('data', (chunk) => wire.push(chunk) || ground.pause());
  ground.on('error', () => undefined);
  ground.on('end', () => wire.push(null)).on('close', () => wire.destroy());
  wire.on('error', () => undefined);
  return wire;
}
