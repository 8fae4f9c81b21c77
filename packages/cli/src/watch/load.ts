import type * as Watch from '@certpin/watch';
import { type Io, printError } from '../io.ts';

/** `node:sqlite`, without a flag. */
const NEEDED = [22, 13] as const;

/** The package of the watcher, which an older Node cannot run. undefined: the reason was printed. */
export async function loadWatch(io: Io, node: string = process.versions.node): Promise<typeof Watch | undefined> {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
    printError(
      io,
      `certpin watch needs Node ${NEEDED.join('.')} or newer, and this is Node ${node}; the other commands work here`,
    );
    return undefined;
  }
  try {
    return await import('@certpin/watch');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    printError(io, 'the package @certpin/watch is not installed: npm install --global @certpin/watch');
    return undefined;
  }
}
