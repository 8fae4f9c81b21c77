import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Minted } from './mint.ts';
import { type CountingServer, credentials, observeServer } from './tls-server.ts';

/** What is said before TLS: the turns of the server and of the client. */
export interface UpgradeScript {
  readonly server: readonly string[];
  readonly client: readonly string[];
  /** Whether the client has the first word. */
  readonly clientOpens: boolean;
  /** Bytes of the server in one packet. Default: a turn is one packet. */
  readonly packetBytes?: number;
  /** What reads and writes TLS in the protocol's own packets. Default: TLS is on the wire itself. */
  readonly enclose?: ((socket: Socket) => Duplex) | undefined;
}

/** A server that says its turns, each after the client's own, and then speaks TLS. If a client says something else, the server hangs up. */
export function startUpgradeServer(
  certificate: Minted,
  script: UpgradeScript,
  tls: TlsOptions = {},
): Promise<CountingServer> {
  const { server, client, clientOpens, packetBytes = 65_536, enclose } = script;
  const tlsServer = createTlsServer({ ...credentials(certificate), ...tls });
  const front = createServer({ noDelay: true }, async (socket: Socket) => {
    const words = [...client];
    const hear = async (): Promise<void> => {
      const expected = Buffer.from(words.shift() ?? '', 'latin1');
      if (expected.length > 0 && !(await read(socket, expected.length)).equals(expected)) socket.destroy();
    };
    try {
      if (clientOpens) await hear();
      for (const [index, turn] of server.entries()) {
        const bytes = Buffer.from(turn, 'latin1');
        for (let at = 0; at < bytes.length; at += packetBytes)
          await new Promise((written) => socket.write(bytes.subarray(at, at + packetBytes), written));
        if (index < server.length - 1) await hear();
      }
      tlsServer.emit('connection', enclose === undefined ? socket : enclose(socket));
    } catch {
      socket.destroy();
    }
  });
  return observeServer(tlsServer, front);
}

/** Exactly this many next bytes. */
async function read(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null;
    if (bytes !== null) return bytes;
    if (socket.destroyed) throw new Error('the client hung up');
    await new Promise<void>((resolve) => {
      socket.once('readable', resolve).once('close', resolve);
    });
  }
}
