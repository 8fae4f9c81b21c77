import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { OpeningWatch } from './opening.ts';

/** Longest wait for the end of connections whose other end has gone. */
const DRAIN_MS = 2000;

/** A port of this machine that stands for a server. */
export class Relay {
  /** What happens to a connection. */
  receive: (socket: Socket) => void = (socket) => socket.destroy();
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined);
      this.receive(socket);
    });
  }

  static async open(): Promise<Relay> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Relay(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Waits until everything that was sent has been heard: the process that sent it has ended, so its connections end too. */
  async drain(): Promise<void> {
    const closing = Promise.all(
      [...this.sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    let timer: NodeJS.Timeout | undefined;
    const longest = new Promise((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS);
    });
    await Promise.race([closing, longest]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** Passes everything on to the genuine server, unread but for the first bytes. */
export function passOn(
  socket: Socket,
  server: { host: string; port: number },
  watch: OpeningWatch = new OpeningWatch(),
): void {
  const genuine = connect({ ...server, noDelay: true });
  socket.on('data', (chunk: Buffer) => watch.hearClient(chunk));
  genuine.on('data', (chunk: Buffer) => watch.hearServer(chunk));
  genuine.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  socket.on('error', () => genuine.destroy()).on('close', () => genuine.destroy());
  socket.pipe(genuine).pipe(socket);
}
