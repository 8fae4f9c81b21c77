import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { certificateHex, type Minted } from '@certpin/testkit';
import { certpin, type Said, type TranscriptOptions } from '../transcript.ts';

/** A folder with a pins file of one target, and the files of certificates. */
export interface Stage {
  readonly folder: string;
  readonly pinsFile: string;
  readonly stateFile: string;
  /** Writes a certificate and its key; `next` becomes `next.crt` and `next.key`.. */
  readonly write: (name: string, minted: Minted) => { readonly crt: string; readonly key: string };
  /** What the target says: the pins in their order. */
  readonly pins: () => string[];
  readonly revoked: () => string[];
  /** Moves everything that the rotation has written down back in time: as if so much time had passed. */
  readonly pass: (milliseconds: number) => void;
  /** `rotate COMMAND` of the target, with its pins file. */
  readonly rotate: (command: string, options?: TranscriptOptions) => Promise<Said>;
  readonly report: (command: string, options?: TranscriptOptions) => Promise<Report>;
}

/** What `--json` prints. */
interface Report {
  readonly code: number;
  readonly ok: boolean;
  readonly step?: string;
  readonly nextPin?: string;
  readonly next?: string | null;
  readonly ended?: string | null;
  readonly reason?: string;
  readonly details?: readonly string[];
  readonly hints?: readonly string[];
  readonly warning?: string;
  readonly steps?: readonly { readonly step: string; readonly evidence: string; readonly because: string }[];
  readonly commands?: readonly { readonly server: string; readonly commands: readonly string[] }[];
}

interface Target {
  readonly target: string;
  readonly pins: readonly (Minted | string)[];
  /** More keys of the target. */
  readonly keys?: object;
  /** In every command. */
  readonly options?: TranscriptOptions;
}

export function createStage(t: TestContext, { target, pins, keys = {}, options: common = {} }: Target): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-rotate-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const pinsFile = join(folder, 'certpin.json');
  const stateFile = join(folder, 'certpin.rotations.json');
  const texts = pins.map((pin) => (typeof pin === 'string' ? pin : certificateHex(pin)));
  const entry = { id: 'db', target, pins: texts, ...keys };
  writeFileSync(pinsFile, `${JSON.stringify({ version: 2, targets: [entry] }, undefined, 2)}\n`);
  const read = () => JSON.parse(readFileSync(pinsFile, 'utf8')).targets[0];
  const rotate = (command: string, options: TranscriptOptions = {}): Promise<Said> => {
    const [name = '', ...rest] = command.split(' ');
    return certpin(['rotate', name, 'db', '--file', pinsFile, ...rest], { ...common, ...options });
  };
  return {
    ...{ folder, pinsFile, stateFile, rotate },
    write: (name, minted) => {
      const [crt, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
      writeFileSync(crt, minted.certPem);
      writeFileSync(key, minted.keyPem);
      return { crt, key };
    },
    pins: () => read().pins,
    revoked: () => (read().revoked ?? []).map(({ pin }: { pin: string }) => pin),
    pass: (milliseconds) => {
      const earlier = (text: string): string => new Date(Date.parse(text) - milliseconds).toISOString();
      const text = readFileSync(stateFile, 'utf8');
      writeFileSync(stateFile, text.replace(/(?<="(?:at|startedAt)": ")[^"]+/g, earlier));
    },
    report: async (command, options) => {
      const { stdout, code } = await rotate(`${command} --json`, options);
      return { ...JSON.parse(stdout), code };
    },
  };
}
