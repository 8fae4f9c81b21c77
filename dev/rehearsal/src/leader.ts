import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { FakeTenant } from '@certpin/testkit/tenant';
import type { Io } from '../../../packages/cli/src/io.ts';
import { run } from '../../../packages/cli/src/run.ts';
import { CANARY, PASSWORD } from './database.ts';

export interface Surroundings {
  readonly tenant: FakeTenant;
  readonly folder: string;
  readonly pinsFile: string;
  readonly lookup: Io['lookup'];
}

/** What `--json` prints of a rotation, as far as it is read here. */
export interface Report {
  readonly code: number;
  readonly ok: boolean;
  readonly step?: string;
  /** The next step. null: none. */
  readonly next?: string | null;
  readonly ended?: string | null;
  readonly reason?: string;
  readonly details?: readonly string[];
  readonly steps?: readonly { readonly step: string; readonly at: string }[];
  readonly commands?: readonly { readonly server: string; readonly commands: readonly string[] }[];
}

/** Leads the rotation of one target, by the command line. */
export class Leader {
  readonly #id: string;
  readonly #around: Surroundings;

  constructor(id: string, around: Surroundings) {
    this.#id = id;
    this.#around = around;
  }

  start(files: { readonly crt: string; readonly key: string }, ...options: readonly string[]): Promise<Report> {
    return this.#rotate('start', '--next', files.crt, '--key', files.key, '--yes', ...options);
  }

  next(...options: readonly string[]): Promise<Report> {
    return this.#rotate('next', '--yes', '--values', this.#values, ...options);
  }

  abort(): Promise<Report> {
    return this.#rotate('abort', '--yes', '--values', this.#values);
  }

  status(): Promise<Report> {
    return this.#rotate('status');
  }

  /** `certpin auth0 COMMAND` of this target. */
  auth0(command: 'diff' | 'push', ...options: readonly string[]): Promise<Said> {
    return this.#run(['auth0', command, this.#id, '--file', this.#around.pinsFile, ...options]);
  }

  get values(): string {
    return this.#values;
  }

  get #values(): string {
    return join(this.#around.folder, 'values.json');
  }

  async #rotate(command: string, ...options: readonly string[]): Promise<Report> {
    const words = ['rotate', command, this.#id, '--file', this.#around.pinsFile, '--json', ...options];
    const { stdout, stderr, code } = await this.#run(words);
    if (!stdout.startsWith('{')) return { code, ok: false, reason: stderr.trim() };
    return { ...(JSON.parse(stdout) as Report), code };
  }

  async #run(words: readonly string[]): Promise<Said> {
    const { tenant, lookup } = this.#around;
    let stdout = '';
    let stderr = '';
    const code = await run(words, {
      stdout: (text) => {
        stdout += text;
      },
      stderr: (text) => {
        stderr += text;
      },
      ...{ stdoutIsTerminal: false, stderrIsTerminal: false, stdoutClosed: () => false },
      ...{ stdin: () => Readable.from([]), askSecret: async () => undefined, confirm: async () => undefined },
      ...{ stdoutReady: async () => undefined, onInterrupt: () => () => undefined },
      ...{ fetch: tenant.fetch, lookup },
      env: { ...tenant.credentials, CERTPIN_CANARY_USERNAME: CANARY, CERTPIN_CANARY_PASSWORD: PASSWORD },
    });
    return { stdout, stderr, code };
  }
}

export interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}
