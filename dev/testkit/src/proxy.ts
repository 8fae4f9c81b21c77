import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requirePackage } from './debian.ts';
import type { Minted } from './mint.ts';
import { freePort } from './postgres.ts';
import { type CountingServer, startTlsServer } from './tls-server.ts';

/** A real HTTP proxy (tinyproxy), started for the test on a free port. */
export interface HttpProxy {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Its log: a line for each request. */
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

export interface HttpProxyOptions {
  /** The proxy demands this login. */
  readonly login?: { readonly user: string; readonly password: string };
  /** The only port to which it opens tunnels. Default: any. */
  readonly allowedPort?: number;
}

/** Starts a proxy that opens tunnels (CONNECT). */
export async function startHttpProxy({ login, allowedPort }: HttpProxyOptions = {}): Promise<HttpProxy> {
  const program = requirePackage('tinyproxy-bin', 'tinyproxy');
  const folder = mkdtempSync(join(tmpdir(), 'certpin-proxy-'));
  const port = await freePort();
  const lines = [
    ...[`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 60', 'MaxClients 200', 'LogLevel Connect', 'DisableViaHeader Yes'],
    ...(login === undefined ? [] : [`BasicAuth ${login.user} ${login.password}`]),
    ...(allowedPort === undefined ? [] : [`ConnectPort ${allowedPort}`]),
  ];
  writeFileSync(join(folder, 'proxy.conf'), `${lines.join('\n')}\n`);
  const child = spawn(program, ['-d', '-c', join(folder, 'proxy.conf')]);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      log += chunk;
    });
  }
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL'); // It would wait for its tunnels to end.
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`the proxy did not start. It said:\n${log}`);
  }
  return { host: '127.0.0.1', port, url: `http://127.0.0.1:${port}`, log: () => log, stop };
}

/** Puts TLS in front of a proxy, as an `https:` proxy has it, and counts what the proxy receives. */
export function startSecureFront(proxy: HttpProxy, certificate: Minted): Promise<CountingServer> {
  return startTlsServer({
    certificate,
    onSocket: (socket) => {
      const plain = connect(proxy.port, proxy.host);
      plain.on('error', () => socket.destroy()).on('close', () => socket.destroy());
      socket.on('close', () => plain.destroy());
      socket.pipe(plain).pipe(socket);
    },
  });
}

/** A SOCKS5 proxy (RFC 1928) in this process, made by other code than certpin's. It accepts names, and looks them up for its clients. */
export async function startSocksProxy({ login }: Pick<HttpProxyOptions, 'login'> = {}): Promise<SocksProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    void serveSocks(socket, login, asked).catch(() => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { url: `socks5://127.0.0.1:${port}`, asked: () => asked, stop };
}

export interface SocksProxy {
  readonly url: string;
  /** The type of each address that it was asked for, the address, and the port: `3 localhost:5432`. */
  readonly asked: () => readonly string[];
  readonly stop: () => Promise<void>;
}

async function serveSocks(socket: Socket, login: HttpProxyOptions['login'], asked: string[]): Promise<void> {
  const take = reader(socket);
  const [, count = 0] = await take(2);
  const wanted = login === undefined ? 0 : 2;
  if (!(await take(count)).includes(wanted)) {
    socket.end(Buffer.of(5, 0xff));
    return;
  }
  socket.write(Buffer.of(5, wanted));
  if (login !== undefined) {
    const user = (await take((await take(2))[1] ?? 0)).toString();
    const password = (await take((await take(1))[0] ?? 0)).toString();
    const isRight = user === login.user && password === login.password;
    socket.write(Buffer.of(1, isRight ? 0 : 1));
    if (!isRight) {
      socket.end();
      return;
    }
  }
  const [, , , type = 0] = await take(4);
  const address = await take(type === 1 ? 4 : type === 4 ? 16 : ((await take(1))[0] ?? 0));
  const host = type === 3 ? address.toString() : type === 1 ? address.join('.') : '::1';
  const port = (await take(2)).readUInt16BE();
  asked.push(`${type} ${address.toString(type === 3 ? 'latin1' : 'hex')}:${port}`);
  const server = connect(port, host);
  server.once('error', () => socket.end(Buffer.of(5, 5, 0, 1, 0, 0, 0, 0, 0, 0)));
  server.once('connect', () => {
    socket.write(Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0));
    socket.pipe(server).pipe(socket);
  });
  socket.on('close', () => server.destroy());
}

/** Returns as many bytes as are asked for, when they have come. */
function reader(socket: Socket): (count: number) => Promise<Buffer> {
  return async (count) => {
    if (count === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes = socket.read(count) as Buffer | null;
      if (bytes !== null) return bytes;
      await once(socket, 'readable');
    }
  };
}

async function answers(port: number): Promise<boolean> {
  const socket: Socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return new Promise((resolve) => setTimeout(resolve, 20, false));
  } finally {
    socket.destroy();
  }
}
