import { statSync } from 'node:fs';
import { isUnderWay, PinsFileError, readRotations, rotationsFileOf } from '@certpin/pins-file';
import type { Log } from '../log.ts';

/**
 * The targets that `certpin rotate` is leading through a rotation, by their keys in the pins file. The file of the rotations is read again when
 * it changes; where it cannot be read, no rotation mutes anything.
 */
export function createRotationReader(pinsFile: string, log: Log): () => ReadonlySet<string> {
  let stamp: string | undefined;
  let keys: ReadonlySet<string> = new Set();
  return () => {
    const found = stampOf(pinsFile);
    if (found !== stamp) {
      stamp = found;
      keys = read(pinsFile, log);
    }
    return keys;
  };
}

/** Empty where there is no such file. */
function stampOf(pinsFile: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(rotationsFileOf(pinsFile), { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    return '';
  }
}

function read(pinsFile: string, log: Log): ReadonlySet<string> {
  try {
    return new Set(
      readRotations(pinsFile)
        .filter(isUnderWay)
        .map(({ key }) => key),
    );
  } catch (error) {
    if (!(error instanceof PinsFileError)) throw error;
    log('rotations-unreadable', { error: error.message });
    return new Set();
  }
}
