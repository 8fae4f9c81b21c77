import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { FileFormat } from '@certpin/pins-file';
import { folderOf } from './journal.ts';

/** Another tool that writes the tenant: its next run would put the old pins back. */
export interface Owner {
  readonly tool: 'Terraform' | 'the Deploy CLI';
  /** What showed it. */
  readonly evidence: string;
  /** The format of the file from which that tool gets values. */
  readonly format: FileFormat;
}

/** A larger file is not written by a person. */
const MAX_BYTES = 8 * 1024 * 1024;
const RESOURCE =
  /^[ \t]*(?:resource[ \t]+"(auth0_(?:connection|action)\w*)"|"(auth0_(?:connection|action)\w*)"[ \t]*:)/m;
/** At the top of a `tenant.yaml` of the Deploy CLI. */
const SECTION = /^(?:databases|actions|tenant|connections|clients):/m;

/**
 * Looks for the files of such a tool in the folder of the pins file, and in the folders directly below it. The tenant itself does not say
 * who writes it.
 */
export function findOwner(pinsFile: string): Owner | undefined {
  const folder = folderOf(pinsFile);
  const below = list(folder).filter((one) => one.isDirectory() && !/^(?:\.|node_modules$)/.test(one.name));
  for (const place of [folder, ...below.map(({ name }) => join(folder, name))]) {
    const found = findIn(place, folder);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findIn(place: string, folder: string): Owner | undefined {
  for (const one of list(place)) {
    const path = join(place, one.name);
    const shown = relative(folder, path);
    if (one.isFile() && /\.tf(?:\.json)?$/.test(one.name)) {
      const match = RESOURCE.exec(read(path));
      if (match !== null) {
        const evidence = `${shown} has a resource ${match[1] ?? match[2]}`;
        return { tool: 'Terraform', evidence, format: 'tfvars-json' };
      }
    }
    const isDeployCli =
      (one.isFile() && /^tenant\.ya?ml$/.test(one.name) && SECTION.test(read(path))) ||
      (one.isDirectory() && one.name === 'database-connections');
    if (isDeployCli) return { tool: 'the Deploy CLI', evidence: `there is ${shown}`, format: 'deploy-cli' };
  }
  return undefined;
}

function list(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return statSync(path).size > MAX_BYTES ? '' : readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
