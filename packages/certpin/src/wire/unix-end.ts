import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertpinError, optionInvalid } from '../errors.ts';
import { carry, type OpenUpstream } from './carry.ts';
import { controlled, End, type EndControl } from './end.ts';

/** An end at a unix socket. Processes of this user, and of root, are let in, and no others. */
export async function startUnixEnd(open: OpenUpstream): Promise<EndControl & { readonly path: string }> {
  const end = new End((socket) => {
    const caller = { socket, own: undefined };
    carry(
      caller,
      open,
      () => undefined,
      (error) => end.fail(caller, error),
    );
  });
  const folder = makeFolder();
  const close = async (): Promise<void> => {
    await end.close();
    removeFolder(folder);
  };
  try {
    const path = socketIn(folder);
    await end.listen({ path });
    return controlled(end, { path }, close);
  } catch (error) {
    removeFolder(folder);
    throw error;
  }
}

const where = 'pinnedForwardPath';

/** A folder that no other user can enter or replace by another one. */
function makeFolder(): string {
  if (process.platform === 'win32') {
    const message = `${where}: on Windows, no folder can protect a pipe from other users; use \`pinnedForward\``;
    throw new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'forward' });
  }
  const parent = tmpdir();
  const { mode, uid } = statSync(parent);
  const user = process.getuid?.();
  const isShared = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
  if (isShared || (uid !== user && uid !== 0))
    throw optionInvalid(
      'TMPDIR',
      `${where}: other users could replace files in the folder for temporary files; set TMPDIR to a folder of your own`,
    );
  const folder = mkdtempSync(join(parent, 'certpin-'));
  folders.add(folder);
  if (folders.size === 1) process.once('exit', removeFolders);
  const made = statSync(folder);
  if ((made.mode & 0o777) === 0o700 && made.uid === user) return folder;
  removeFolder(folder);
  throw optionInvalid(
    'TMPDIR',
    `${where}: the file system of the folder for temporary files keeps no permissions; set TMPDIR to another folder`,
  );
}

/** The shortest `sun_path` of a system (macOS), without its end. Older versions of libuv cut a longer path and listen somewhere else. */
const MAX_PATH = 103;

function socketIn(folder: string): string {
  const path = join(folder, 'end');
  if (Buffer.byteLength(path) <= MAX_PATH) return path;
  throw optionInvalid(
    'TMPDIR',
    `${where}: the name of the folder for temporary files is too long for a unix socket; set TMPDIR to a shorter one`,
  );
}

/** The open ends. If one is still there when the process ends, its folder is removed. */
const folders = new Set<string>();

function removeFolders(): void {
  for (const folder of folders) removeFolder(folder);
}

function removeFolder(folder: string): void {
  folders.delete(folder);
  if (folders.size === 0) process.off('exit', removeFolders);
  rmSync(folder, { recursive: true, force: true });
}
