import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { OpeningWatch } from './opening.ts';

/** Longest wait for the end of connections whose other side has gone. */
const DRAIN_MS = 2000;

/** A port of this machine that stands for a server. */
export class Relay {
  /** What happens to a connection. */
  receive: (socket: Socket) => void = (socket) => socket.destroy();
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  /** Connections that the script's process has reported and that have not arrived yet. Reports and connections travel separately. */
  private underWay = 0;

  private constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket: Socket) => {
      this.underWay--;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined);
      this.receive(socket);
      this.server.emit('arrival');
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

  /** The script is about to connect. */
  expect(): void {
    this.underWay++;
  }

  /** Waits until every reported connection has come and gone, so that everything that was sent was read. */
  async drain(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const longest = new Promise((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS);
    });
    await Promise.race([this.comeAndGone(), longest]);
    clearTimeout(timer);
  }

  private async comeAndGone(): Promise<void> {
    while (this.underWay > 0) await once(this.server, 'arrival');
    await Promise.all([...this.sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  }

  /** Ends all connections, as somebody on the way can do. */
  sever(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.sever();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** Passes everything on to the genuine server, and reads only the first bytes. */
export function passOn(
  socket: Socket,
  { host, port }: { readonly host: string; readonly port: number },
  watch: OpeningWatch = new OpeningWatch(),
  onFailure: (error: Error) => void = () => undefined,
): void {
  const genuine = connect({ host, port, noDelay: true });
  socket.on('data', (chunk: Buffer) => watch.hearClient(chunk));
  genuine.on('data', (chunk: Buffer) => watch.hearServer(chunk));
  genuine.on('error', onFailure).on('close', () => socket.destroy());
  socket.on('error', () => genuine.destroy()).on('close', () => genuine.destroy());
  socket.pipe(genuine).pipe(socket);
}
