import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP peer that does what a real server does not: it lies, stalls, or injects. It remembers every byte that it received. */
export interface ScriptedServer {
  readonly host: string;
  readonly port: number;
  /** Everything that all connections sent, in the order of arrival. */
  readonly received: () => Buffer;
  readonly close: () => Promise<void>;
}

/** @param script what happens on a connection. The received bytes are recorded in any case */
export async function startScriptedServer(script: (socket: Socket) => void): Promise<ScriptedServer> {
  const chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    script(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    received: () => Buffer.concat(chunks),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A peer that passes everything on unread, and remembers what the client said. */
export function startTap(upstream: { readonly host: string; readonly port: number }): Promise<ScriptedServer> {
  return startScriptedServer((socket) => {
    const genuine = connect(upstream.port, upstream.host);
    genuine.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => genuine.destroy());
    socket.pipe(genuine).pipe(socket);
  });
}
