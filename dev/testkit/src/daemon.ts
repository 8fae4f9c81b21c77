import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Minted } from './mint.ts';
import { freePort } from './postgres.ts';

/** A server of Debian's, started for the test on free ports. */
export interface Daemon<Service extends string> {
  readonly host: string;
  readonly ports: Readonly<Record<Service, number>>;
  /** The PEM file that the server reads its certificate from. */
  readonly certificateFile: string;
  /** What the server wrote to its terminal. */
  readonly log: () => string;
  /** Stops it in an orderly way, and starts it, with the same files and ports. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface DaemonOptions<Service extends string> {
  /** As messages name it. */
  readonly name: string;
  readonly certificate: Minted;
  /** What it serves, each on a port of its own. */
  readonly services: readonly Service[];
  readonly configure: (place: Place<Service>) => Configuration;
}

/** Where the files of a server are. */
export interface Place<Service extends string> {
  /** A temporary folder with `server.crt` (with its chain), `server.key` and `server.pem` (all of them). */
  readonly folder: string;
  readonly ports: Readonly<Record<Service, number>>;
}

export interface Configuration {
  /** A command to run first, as the owner. */
  readonly prepare?: readonly [string, ...string[]];
  /** The program and its arguments. It stays in the foreground. */
  readonly command: readonly [string, ...string[]];
  /** Files to be written below the folder, by their names; a name with a slash at its end is a folder. */
  readonly files: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The owner of the key and the folders, if the program gives up the rights of root. Default: the user of the test. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/** How long a server may take until its ports answer, in milliseconds. */
const START_LIMIT_MS = 20_000;

/** Starts a server with its files in a temporary folder, which `stop()` removes. It is ready when all its ports answer. */
export async function startDaemon<Service extends string>(options: DaemonOptions<Service>): Promise<Daemon<Service>> {
  const { name, certificate, services, configure } = options;
  const folder = mkdtempSync(join(tmpdir(), 'certpin-daemon-'));
  const entries: [Service, number][] = [];
  for (const service of services) entries.push([service, await freePort()]);
  const ports = Object.fromEntries(entries) as Record<Service, number>;
  let log = '';
  let stop = async (): Promise<void> => rmSync(folder, { recursive: true, force: true });
  try {
    const { prepare, command, files, env, owner } = configure({ folder, ports });
    const { chainPem, keyPem } = certificate;
    const credentials = { 'server.crt': chainPem, 'server.key': keyPem, 'server.pem': `${chainPem}${keyPem}` };
    const own = (path: string): void => {
      if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
    };
    chmodSync(folder, 0o755); // Some read their files as another user than the one who starts them.
    own(folder);
    for (const [file, text] of Object.entries({ ...credentials, ...files })) {
      const path = join(folder, file);
      mkdirSync(file.endsWith('/') ? path : dirname(path), { recursive: true });
      const isFolder = file.endsWith('/');
      const isSecret = file.endsWith('.key') || file.endsWith('.pem');
      if (!isFolder) writeFileSync(path, text, { mode: isSecret ? 0o600 : 0o644 });
      if (isFolder || isSecret) own(path);
    }
    const environment = { ...process.env, ...env };
    if (prepare !== undefined) {
      const [program, ...args] = prepare;
      execFileSync(program, args, { cwd: folder, env: environment, stdio: 'pipe', ...owner });
    }
    const remove = stop;
    let end = async (): Promise<void> => undefined;
    stop = async () => {
      await end();
      await remove();
    };
    const start = async (): Promise<void> => {
      const [program, ...args] = command;
      // A group of its own: some servers leave processes of connections behind, and these would still write to the folder.
      const child = spawn(program, args, {
        ...{ cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
      });
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk) => {
          log += chunk;
        });
      }
      const exited = once(child, 'exit');
      const group = -(child.pid as number);
      const abandon = (): boolean => signal(group, 'SIGKILL');
      process.once('exit', abandon);
      end = async () => {
        child.kill('SIGTERM');
        await exited;
        // If nobody collects ended processes, they stay in the group.
        for (const limit = Date.now() + 2_000; signal(group, 'SIGKILL') && Date.now() < limit; ) await delay(5);
        process.removeListener('exit', abandon);
      };
      const limit = Date.now() + START_LIMIT_MS;
      for (const [service, port] of entries) {
        while (!(await answers(port))) {
          if (child.exitCode !== null) break;
          if (Date.now() > limit) throw new Error(`nobody answered as ${service}`);
          await delay(20);
        }
      }
      // Some servers listen before they notice a mistake in their own configuration.
      if (child.exitCode !== null) throw new Error('it ended');
    };
    await start();
    const restart = async (): Promise<void> => {
      await end();
      await start();
    };
    return { host: '127.0.0.1', ports, certificateFile: join(folder, 'server.crt'), log: () => log, restart, stop };
  } catch (error) {
    await stop();
    throw new Error(`${name} did not start: ${(error as Error).message}. It said:\n${log.slice(-2000)}`, {
      cause: error,
    });
  }
}

/** @returns whether there is a process in the group */
function signal(group: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(group, name);
  } catch {
    return false;
  }
}

/** Whether somebody listens on a port of this machine. */
export async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
