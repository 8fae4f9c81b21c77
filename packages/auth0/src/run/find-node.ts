import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { RunError } from './run-error.ts';

/** A Node that can be started. */
export interface NodeBinary {
  readonly path: string;
  /** `v18.20.8` */
  readonly version: string;
}

export interface FindNodeOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder in which version managers keep their Nodes. Default: the user's home folder. */
  readonly home?: string;
}

/**
 * Finds the Node of a major version, or at a path. It looks in this order: this process's own Node, `node18` of the PATH, the npm package
 * `node` of the project, the folders of version managers.
 *
 * @param wanted `18`, `v18`, `node18`, or a path. undefined: this process's own Node
 * @throws RunError `ERR_NODE_NOT_FOUND`
 */
export function findNode(wanted: string | undefined, { cwd, env, home = homedir() }: FindNodeOptions): NodeBinary {
  if (wanted === undefined) return { path: process.execPath, version: process.version };
  const major = /^(?:node|v)?(\d+)$/.exec(wanted)?.[1];
  if (major === undefined) return findAtPath(wanted, cwd);
  if (process.version.startsWith(`v${major}.`)) return { path: process.execPath, version: process.version };
  for (const path of candidates(major, cwd, env, home)) {
    const version = existsSync(path) ? versionOf(path) : undefined;
    if (version?.startsWith(`v${major}.`)) return { path, version };
  }
  throw new RunError(
    'ERR_NODE_NOT_FOUND',
    `there is no Node.js ${major} here`,
    `npm install --save-dev node@${major}, nvm install ${major}, or --node /path/to/node`,
  );
}

function findAtPath(wanted: string, cwd: string): NodeBinary {
  const path = isAbsolute(wanted) ? wanted : resolve(cwd, wanted);
  const version = existsSync(path) ? versionOf(path) : undefined;
  if (version !== undefined) return { path, version };
  const hint = 'give a major version (--node 18) or the path of a node';
  throw new RunError('ERR_NODE_NOT_FOUND', `${wanted} is not a Node.js that can be started`, hint);
}

function* candidates(major: string, cwd: string, env: FindNodeOptions['env'], home: string): Generator<string> {
  const binary = process.platform === 'win32' ? '.exe' : '';
  for (const folder of (env.PATH ?? '').split(delimiter).filter(isAbsolute)) {
    for (const name of [`node${major}`, `node-${major}`, 'node']) yield join(folder, `${name}${binary}`);
  }
  // The package `node`, and the name under which it was installed: "node18": "npm:node@18".
  for (let folder = cwd; ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules');
    for (const name of [`node${major}`, `node-${major}`, 'node']) yield join(modules, name, 'bin', `node${binary}`);
    if (folder === dirname(folder)) break;
  }
  const managed: readonly (readonly [folder: string, inside: string])[] = [
    [join(env.NVM_DIR ?? join(home, '.nvm'), 'versions', 'node'), 'bin/node'],
    [join(home, '.local', 'share', 'fnm', 'node-versions'), 'installation/bin/node'],
    [join(home, '.fnm', 'node-versions'), 'installation/bin/node'],
    [join(home, '.volta', 'tools', 'image', 'node'), 'bin/node'],
    [join(home, '.asdf', 'installs', 'nodejs'), 'bin/node'],
    [join(home, '.local', 'share', 'mise', 'installs', 'node'), 'bin/node'],
    [join(home, '.nodenv', 'versions'), 'bin/node'],
    [join(env.N_PREFIX ?? '/usr/local', 'n', 'versions', 'node'), 'bin/node'],
  ];
  for (const [folder, inside] of managed) {
    const versions = existsSync(folder) ? readdirSync(folder) : [];
    const fitting = versions.filter((name) => name.replace(/^v/, '').split('.')[0] === major);
    for (const name of fitting.sort().reverse()) yield join(folder, name, inside);
  }
}

function versionOf(path: string): string | undefined {
  try {
    const said = execFileSync(path, ['--version'], { encoding: 'utf8', env: {}, stdio: ['ignore', 'pipe', 'ignore'] });
    return /^v\d+\.\d+\.\d\S*(?=\s*$)/.exec(said)?.[0]; // Other programs have a version too.
  } catch {
    return undefined;
  }
}
