import type { ScriptConnection } from '../run/child-messages.ts';
import { type Container, openContainer } from '../run/container.ts';
import type { Redirect, TrustOptions } from '../run/process.ts';
import type { RunResult } from '../run/result.ts';
import type { RunScriptOptions } from '../run/run-script.ts';
import type { Script } from '../run/source.ts';

/** How long a script is watched after its answer, because bytes that leave late count too. */
const SETTLE_MS = 500;

export interface StageOptions {
  readonly script: Script;
  readonly options: RunScriptOptions;
  readonly redirects: readonly Redirect[];
  readonly spare: readonly number[];
  readonly trust: TrustOptions;
  readonly passesMs: number | undefined;
  /** PEM file of what Node trusts by default, beside its own. */
  readonly trustedCaFile: string;
}

/** What was seen of one login, from inside the script's process. */
export class Observation {
  readonly connections: ScriptConnection[] = [];
  /** Whether OpenSSL accepted it, by certificate (SHA-256, as Node writes it). */
  readonly handshakes: Map<string, boolean> = new Map();
  /** What the script looked at, by certificate. */
  readonly looks: Map<string, Set<string>> = new Map();
  readonly exceptions: number[] = [];
}

/** What leaves a script's process without a relay, in all its logins. */
export class Leavings {
  readonly ways: Set<string> = new Set();
  readonly lookedUp: Set<string> = new Set();
  readonly serverNames: Set<string> = new Set();
}

/** A container for one script, with its connections led to relays. */
export class Stage {
  private readonly script: Script;
  private readonly options: RunScriptOptions;
  private readonly container: Container;
  private observation = new Observation();
  /** Gets the report of a connection before the connection arrives. */
  onConnection: (connection: ScriptConnection) => void = () => undefined;

  constructor({ script, options, redirects, spare, trust, passesMs, trustedCaFile }: StageOptions, leavings: Leavings) {
    this.script = script;
    this.options = options;
    const settings = { settleMs: SETTLE_MS, ...options, trustedCaFile };
    this.container = openContainer(settings, {
      ...{ redirects, spare, trust, ...(passesMs === undefined ? {} : { passesMs }) },
      onConnection: (connection) => {
        this.observation.connections.push(connection);
        this.onConnection(connection);
      },
      onOtherWay: (way) => leavings.ways.add(way),
      onName: ({ name, lookedUp }) => (lookedUp ? leavings.lookedUp : leavings.serverNames).add(name),
      onHandshake: ({ certificate, trusted }) => {
        const before = this.observation.handshakes.get(certificate) ?? false;
        this.observation.handshakes.set(certificate, before || trusted);
      },
      onLook: ({ certificate, at }) => {
        const { looks } = this.observation;
        looks.set(certificate, (looks.get(certificate) ?? new Set()).add(at));
      },
      onException: (thrownAt) => this.observation.exceptions.push(thrownAt),
    });
  }

  /** Calls the script once. @returns the observations. They grow until the next login, or until the end */
  async login(): Promise<{ run: RunResult; seen: Observation }> {
    const seen = new Observation();
    this.observation = seen;
    const run = await this.container.run(this.script, this.options);
    return { run, seen };
  }

  close(): Promise<void> {
    return this.container.close();
  }
}
