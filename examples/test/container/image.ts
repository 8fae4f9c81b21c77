import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeOf } from '../../../packages/auth0/test/nodes.ts';
import type { Stage } from './containerfile.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** Packs what the page says, into the folder from which the image is made. */
export function packInto(context: string, command: string): void {
  const [, flags = ''] = /^npm pack (.+) --pack-destination examples\/watch\/packages$/.exec(command) ?? [];
  mkdirSync(join(context, 'packages'), { recursive: true });
  const target = ['--pack-destination', join(context, 'packages'), '--ignore-scripts'];
  execFileSync('npm', ['pack', ...flags.split(' '), ...target], { cwd: repository, stdio: 'pipe' });
}

/**
 * Does what an engine would do with the instructions, without one: each stage is a folder. A base image is not fetched; of it, only Node is
 * there, where each of the two images has it.
 *
 * @returns the folder of the last stage
 */
export function build(stages: readonly Stage[], context: string, folder: string): string {
  const roots = new Map<string, string>();
  let root = '';
  for (const [index, { name = String(index), instructions }] of stages.entries()) {
    root = join(folder, name);
    roots.set(name, root);
    let workdir = '/';
    for (const { name: what, value } of instructions) {
      if (what === 'WORKDIR') {
        workdir = value;
        mkdirSync(join(root, workdir), { recursive: true });
      } else if (what === 'COPY') copy(value, roots, context, root, workdir);
      else if (what === 'RUN') run(value, join(root, workdir), folder);
    }
  }
  return root;
}

/** `COPY [--from=STAGE] SOURCE TARGET`. @throws where there is no source */
function copy(value: string, roots: ReadonlyMap<string, string>, context: string, root: string, workdir: string): void {
  const [, from, source = '', target = ''] = /^(?:--from=(\S+) )?(\S+) (\S+)$/.exec(value) ?? [];
  const base = from === undefined ? context : roots.get(from);
  if (base === undefined) throw new Error(`there is no stage ${from}`);
  const place = target.startsWith('/') ? join(root, target) : join(root, workdir, target);
  mkdirSync(dirname(place), { recursive: true });
  cpSync(join(base, source), place, { recursive: true, verbatimSymlinks: true });
}

/** The image has Node 22 and its npm, so the command finds both. */
function run(command: string, cwd: string, folder: string): void {
  const programs = join(folder, 'programs');
  rmSync(programs, { recursive: true, force: true });
  mkdirSync(programs);
  const npm = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js');
  symlinkSync(nodeOf(22), join(programs, 'node'));
  writeFileSync(join(programs, 'npm'), `#!/bin/sh\nexec node '${npm}' "$@"\n`, { mode: 0o755 });
  const env = { ...process.env, PATH: `${programs}:${process.env.PATH}` };
  execFileSync('/bin/sh', ['-ec', command], { cwd, env, stdio: 'pipe' });
}
