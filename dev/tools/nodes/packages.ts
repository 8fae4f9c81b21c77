// Which client is installed, and for which Node its package.json says it is.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Where clients of tests are installed, the nearest first. */
const folders = ['dev/tools/nodes', 'packages/certpin', '.'].map((folder) => join(root, folder, 'node_modules'));

export interface InstalledPackage {
  readonly folder: string;
  readonly version: string;
  /** `engines.node`; undefined: the package does not say. */
  readonly engines: string | undefined;
}

/** @param alias the name under which a package.json of this repository asks for the package: `undici-8` */
export function findPackage(alias: string): InstalledPackage | undefined {
  const folder = folders.map((modules) => join(modules, alias)).find((path) => existsSync(join(path, 'package.json')));
  if (folder === undefined) return undefined;
  const { version, engines } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string;
    engines?: { node?: string };
  };
  return { folder, version, engines: engines?.node };
}

/** Requires a package by its alias. Its types are missing if `dev/tools/nodes` is not installed. */
export function requirePackage(alias: string): unknown {
  const found = findPackage(alias);
  if (found === undefined) throw new Error(`${alias} is not installed; npm run test:nodes installs it`);
  return createRequire(import.meta.url)(found.folder);
}

/**
 * Whether a package is for this Node. It understands what the packages here contain, with `>=20.18.1` as the last of their alternatives.
 *
 * @param version `v20.20.2`
 */
export function supportsNode({ engines = '>=0' }: InstalledPackage, version: string): boolean {
  const least = />=\s*([\d.]+)\s*$/.exec(engines)?.[1];
  if (least === undefined) throw new Error(`dev/tools/nodes does not understand engines.node: ${engines}`);
  const [wanted, present] = [least, version.replace('v', '')].map((text) => text.split('.').map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = (present?.[part] ?? 0) - (wanted?.[part] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
