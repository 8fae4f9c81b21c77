import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
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
  /** What it wrote down: a line for each request. */
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
    child.kill('SIGKILL'); // it would wait for its tunnels to end
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`the proxy did not start. It said:\n${log}`);
  }
  return { host: '127.0.0.1', port, url: `http://127.0.0.1:${port}`, log: () => log, stop };
}

/** Puts TLS before a proxy, as an `https:` proxy has it, and counts what the proxy is told. */
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
