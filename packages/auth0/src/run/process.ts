import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ChildMessage, ScriptConnection, ScriptHandshake, ScriptLook, ScriptName } from './child-messages.ts';
import type { NodeBinary } from './find-node.ts';

/** Where the connections of a script lead, for `prove`. */
export interface NetworkOptions {
  /** A server, and the port of this machine that takes its place. */
  readonly redirects: readonly Redirect[];
  /** Ports for servers that are not known before. */
  readonly spare: readonly number[];
  readonly trust: TrustOptions;
  /** How much time passes for the script in a handshake with an impostor. Default: the real time. */
  readonly passesMs?: number;
  readonly onConnection?: (connection: ScriptConnection) => void;
  /** Something that may send bytes where no connection is seen: another thread, another process, datagrams. */
  readonly onOtherWay?: (way: string) => void;
  readonly onName?: (name: ScriptName) => void;
  readonly onHandshake?: (handshake: ScriptHandshake) => void;
  readonly onLook?: (look: ScriptLook) => void;
  /**
   * An exception that nobody catches, and its time: `process.hrtime`, in ns. If `prove` controls the network, it does not end the process.
   */
  readonly onException?: (thrownAt: number) => void;
}

export interface Redirect {
  readonly host: string;
  readonly port: number;
  readonly via: number;
  /** Where the first of the connections goes. Default: the same as the others. */
  readonly firstVia?: number;
}

/** The proof's CA, for every trust list of the script that contains a CA. */
export interface TrustOptions {
  /** PEM. */
  readonly ca: string;
  /** The certificates of the genuine servers, PEM. A list with only these accepts nobody else. null: not known yet. */
  readonly genuine: readonly string[] | null;
}

export interface ScriptProcessOptions {
  readonly node: NodeBinary;
  readonly cwd: string;
  readonly readOnly: boolean;
  /** PEM file of CAs that count as public ones. */
  readonly trustedCaFile: string | undefined;
  readonly network: NetworkOptions | undefined;
}

const program = fileURLToPath(new URL('./child/main.cjs', import.meta.url));

/** What Node needs of an environment. A script gets nothing else of the parent's: no secret, and no NODE_TLS_REJECT_UNAUTHORIZED. */
const inherited = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'windir'];

type Listener = (message: ChildMessage | { type: 'exit' }) => void;

/** A process in which scripts run. */
export class ScriptProcess {
  private readonly child: ChildProcess;
  private listener: Listener | undefined;
  private unheard: ChildMessage[] = [];
  private readonly network: NetworkOptions | undefined;
  /** It accepts scripts from now on. */
  isReady = false;

  constructor({ node, cwd, readOnly, trustedCaFile, network }: ScriptProcessOptions) {
    const env: NodeJS.ProcessEnv = trustedCaFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: trustedCaFile };
    for (const name of inherited) if (process.env[name] !== undefined) env[name] = process.env[name];
    // Only with this flag can a script of node:vm import modules on Node 18.
    const flags = node.version.startsWith('v18.') ? ['--experimental-vm-modules'] : [];
    this.child = spawn(node.path, [...flags, program], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      windowsHide: true,
    });
    // Output that does not go through the console.
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name]?.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.replace(/\n$/, '').split('\n')) this.hear({ type: 'console', level: name, text: line });
      });
    }
    this.child.on('message', (message) => this.hear(message as ChildMessage));
    this.child.on('error', () => this.listener?.({ type: 'exit' }));
    this.child.on('close', () => this.listener?.({ type: 'exit' }));
    this.network = network;
    // If `prove` controls the network, it assumes the worst: that the platform catches an exception, and the exchange goes on.
    this.send({ type: 'start', readOnly, survive: network !== undefined, network });
  }

  /** Gets everything from now on. undefined: nobody does, and it is kept for {@link takeUnheard}. */
  listen(listener: Listener | undefined): void {
    this.listener = listener;
  }

  /** What came between two runs. */
  takeUnheard(): readonly ChildMessage[] {
    return this.unheard.splice(0);
  }

  private hear(message: ChildMessage): void {
    if (message.type === 'ready') this.isReady = true;
    if (message.type === 'connection') this.network?.onConnection?.(message);
    if (message.type === 'other-way') this.network?.onOtherWay?.(message.way);
    if (message.type === 'name') this.network?.onName?.(message);
    if (message.type === 'handshake') this.network?.onHandshake?.(message);
    if (message.type === 'look') this.network?.onLook?.(message);
    if (message.type === 'fatal') this.network?.onException?.(message.at);
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
