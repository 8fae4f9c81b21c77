import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { lock } from '../lock.ts';
import { PinsFileError } from '../pins-file-error.ts';
import { attempt, followLinks, readBytes, replaceFile } from '../store.ts';
import { formatRotations, parseRotations } from './read-rotations.ts';
import type { Rotation } from './rotation.ts';

/** The file with the rotations of a pins file: `certpin.rotations.json` next to `certpin.json`. A link leads to the same file. */
export function rotationsFileOf(pinsFile: string): string {
  return rename(attempt(pinsFile, () => followLinks(pinsFile)));
}

function rename(path: string): string {
  return path.replace(/(?:\.json)?$/i, '.rotations.json');
}

/**
 * The state of each rotation. Without a file, there are none.
 *
 * @throws PinsFileError
 */
export function readRotations(pinsFile: string): readonly Rotation[] {
  const path = rename(pinsFile);
  const bytes = attempt(path, () => readBytes(rotationsFileOf(pinsFile)));
  return bytes === undefined ? [] : parseRotations(bytes.toString('utf8'), path);
}

/** The right to lead the rotation of a target. */
export interface RotationLock {
  /**
   * Records the state. The file also contains those of other targets.
   *
   * @throws PinsFileError also if the right was taken away
   */
  readonly save: (rotation: Rotation) => Promise<void>;
  readonly release: () => void;
}

/** If several begin at once, one of them goes on within this time. */
const LOCK_WAIT_MS = 500;

/**
 * Two commands must not lead one rotation at the same time: each would repeat the other's step.
 *
 * @throws PinsFileError if another command does so
 */
export async function lockRotation(pinsFile: string, key: string): Promise<RotationLock> {
  const path = rename(pinsFile);
  const place = rotationsFileOf(pinsFile);
  const own = `${place}-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
  const held = await lock(own, LOCK_WAIT_MS);
  if (typeof held === 'string') {
    const remedy = `if none is, remove ${basename(held)} beside it`;
    throw new PinsFileError(`${path}: another certpin is leading this rotation; ${remedy}`);
  }
  return {
    save: async (rotation) => {
      if (!existsSync(held.path)) {
        throw new PinsFileError(`${path}: somebody removed its lock, so nothing more was done; try again`);
      }
      await replaceFile(place, path, (before) => {
        const others = before === undefined ? [] : parseRotations(before.toString('utf8'), path);
        const rest = others.filter((one) => one.key !== rotation.key);
        return Buffer.from(formatRotations([...rest, rotation]));
      });
    },
    release: held.release,
  };
}
