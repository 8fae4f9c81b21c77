import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { TLSSocket, type TlsOptions } from 'node:tls';
import { credentials, type Minted, mint, startTlsServer } from '@certpin/testkit';

export interface Peer {
  readonly port: number;
  /** What arrived in plaintext. */
  readonly received: Buffer[];
  /** What arrived inside TLS. */
  readonly decrypted: Buffer[];
}

/** A TCP server that answers the first bytes of every connection with `answer`, whatever they are. */
export async function startPeer(t: TestContext, answer: (socket: Socket, peer: Peer) => void): Promise<Peer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (bytes: Buffer) => {
      peer.received.push(bytes);
      answer(socket, peer);
    });
  });
  server.listen(0, '127.0.0.1');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  const peer: Peer = { port: (server.address() as AddressInfo).port, received: [], decrypted: [] };
  return peer;
}

/** A PostgreSQL server as far as the certificate: consents to the SSLRequest and starts TLS. */
export function startPostgres(t: TestContext, certificate: Minted): Promise<Peer> {
  return startPeer(t, (socket, peer) => {
    socket.write('S');
    const secure = new TLSSocket(socket, { isServer: true, ...credentials(certificate) });
    secure.on('error', () => undefined);
    secure.on('data', (bytes: Buffer) => peer.decrypted.push(bytes));
  });
}

/**
 * A TLS server with a minted certificate, by default self-signed.
 *
 * `asked`: the names that clients sent (SNI). `connections`: a client that hangs up at once may be gone before the server's
 * handshake is complete, so connections are counted, not handshakes.
 */
export async function startServer(t: TestContext, minted?: Minted) {
  const certificate = minted ?? (await mint());
  const asked: string[] = [];
  const SNICallback: TlsOptions['SNICallback'] = (name, done) => {
    asked.push(name);
    done(null);
  };
  const server = await startTlsServer({ certificate, SNICallback });
  t.after(server.close);
  let connections = 0;
  server.server.on('connection', () => connections++);
  return { ...server, certificate, asked, connections: () => connections };
}

/** Writes a file into a directory of its own and returns the path. */
export function writeTemporary(t: TestContext, name: string, content: string | Uint8Array): string {
  const directory = mkdtempSync(join(tmpdir(), 'certpin-cli-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}
