import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NodeBinary } from './find-node.ts';
import type { ChildMessage } from './record.ts';

/** A line of the map from what a script connects to to what it reaches. */
export interface Redirect {
  readonly host: string;
  readonly port: number;
  readonly to: { readonly host: string; readonly port: number };
}

export interface ScriptProcessOptions {
  readonly node: NodeBinary;
  readonly cwd: string;
  readonly readOnly: boolean;
  /** PEM file of CAs that are to be taken for public ones. */
  readonly trustedCaFile: string | undefined;
  readonly network: NetworkOptions | undefined;
}

/** For `prove`. */
export interface NetworkOptions {
  readonly redirects: readonly Redirect[];
  /** An uncaught exception does not end the process. */
  readonly survive: boolean;
}

const program = fileURLToPath(new URL('./child/main.cjs', import.meta.url));

/** What Node needs of an environment. Nothing else of the parent's reaches a script: no secret, and no NODE_TLS_REJECT_UNAUTHORIZED. */
const inherited = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'windir'];

type Listener = (message: ChildMessage | { type: 'exit' }) => void;

/** A process in which scripts run. */
export class ScriptProcess {
  private readonly child: ChildProcess;
  private listener: Listener | undefined;
  private unheard: ChildMessage[] = [];

  constructor({ node, cwd, readOnly, trustedCaFile, network }: ScriptProcessOptions) {
    const env: NodeJS.ProcessEnv = trustedCaFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: trustedCaFile };
    for (const name of inherited) if (process.env[name] !== undefined) env[name] = process.env[name];
    // Node 18 imports modules from a script of node:vm behind this flag only.
    const flags = node.version.startsWith('v18.') ? ['--experimental-vm-modules'] : [];
    this.child = spawn(node.path, [...flags, program], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      windowsHide: true,
    });
    // What is written around the console.
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name]?.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.replace(/\n$/, '').split('\n')) this.hear({ type: 'console', level: name, text: line });
      });
    }
    this.child.on('message', (message) => this.hear(message as ChildMessage));
    this.child.on('error', () => this.listener?.({ type: 'exit' }));
    this.child.on('close', () => this.listener?.({ type: 'exit' }));
    const { redirects = [], survive = false } = network ?? {};
    this.send({ type: 'start', readOnly, survive, redirects, watch: network !== undefined });
  }

  /** Hears everything from now on; undefined: nobody does, and it is kept for {@link takeUnheard}. */
  listen(listener: Listener | undefined): void {
    this.listener = listener;
  }

  /** What was said between two runs. */
  takeUnheard(): readonly ChildMessage[] {
    return this.unheard.splice(0);
  }

  private hear(message: ChildMessage): void {
    if (this.listener !== undefined) this.listener(message);
    else if (message.type === 'late' || message.type === 'fatal') this.unheard.push(message);
  }

  send(message: object): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  get isAlive(): boolean {
    return this.child.connected && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Whether it keeps the parent alive. */
  hold(held: boolean): void {
    for (const part of [this.child, this.child.channel, this.child.stdout, this.child.stderr]) {
      const handle = part as { ref?: () => void; unref?: () => void } | null | undefined;
      if (held) handle?.ref?.();
      else handle?.unref?.();
    }
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) return;
    this.hold(true);
    const exited = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGKILL');
    await exited;
  }
}
