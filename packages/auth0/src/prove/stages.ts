import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ScriptText } from '../run/source.ts';
import { BRIEF_MS } from './impostors.ts';
import type { ProveOptions } from './options.ts';
import { Leavings, Stage, type StageOptions } from './stage.ts';
import type { Act } from './trial.ts';

/** The containers of one proof. */
export class Stages {
  private readonly script: ScriptText;
  private readonly options: ProveOptions;
  private readonly ca: string;
  /** The CAs that the script trusts anyway, and the proof's CA. */
  private readonly trustedCaFile: string;
  private readonly open = new Set<Stage>();
  readonly leavings: Leavings = new Leavings();

  /**
   * @param folder for files of the proof
   * @param ca PEM
   */
  constructor(script: ScriptText, options: ProveOptions, folder: string, ca: string) {
    this.script = script;
    this.options = options;
    this.ca = ca;
    const { trustedCaFile, cwd = process.cwd() } = options;
    const before = trustedCaFile === undefined ? '' : readFileSync(resolve(cwd, trustedCaFile), 'utf8');
    this.trustedCaFile = join(folder, 'ca.pem');
    writeFileSync(this.trustedCaFile, `${before}\n${ca}\n`);
  }

  /**
   * @param genuine the certificates of the genuine servers, PEM. null: not known yet
   * @param act undefined: all servers are genuine
   */
  create(
    redirects: StageOptions['redirects'],
    spare: readonly number[],
    genuine: readonly string[] | null,
    act?: Act,
  ): Stage {
    const { script, trustedCaFile } = this;
    const { stallMs, ...given } = this.options;
    // If a connection stalls, the script is watched for longer.
    const options = act?.moment === 'after-stall' && stallMs !== undefined ? { ...given, timeLimitMs: stallMs } : given;
    const trust = { ca: this.ca, genuine };
    const passesMs = act?.impostor === 'expiring' ? BRIEF_MS : undefined;
    const stage = new Stage({ script, options, redirects, spare, trust, passesMs, trustedCaFile }, this.leavings);
    this.open.add(stage);
    return stage;
  }

  async close(): Promise<void> {
    await Promise.all([...this.open].map((stage) => stage.close()));
  }
}
