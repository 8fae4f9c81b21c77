// Joins the compiled command line, the library that it asks with, and what every command needs of other packages into a few files: looking
// for a hundred small ones takes longer than a handshake. They are CommonJS, which Node loads in half of the time that it takes for ES
// modules. Nothing is minified. A command is a file of its own, and what is imported in an action too.
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import commonjs from '@rollup/plugin-commonjs';
import { rollup } from '@rollup/wasm-node';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = `${root}packages/cli`;
const dist = `${cli}/dist`;
/** Packages of others that are joined: their licences stand beside the bundle. */
const joined = ['commander', 'leven', 'picocolors'];
const isJoined = (id) => /^[./\0]/.test(id) || /^certpin(?:\/|$)/.test(id) || joined.includes(id);

/** The command line and the library are compiled. */
export async function bundleCli() {
  const bundled = await rollup({
    input: [`${dist}/main.js`, `${dist}/asker.js`],
    external: (id) => !isJoined(id),
    plugins: [
      { name: 'packages', resolveId: (id) => (/^\w/.test(id) && isJoined(id) ? fileOf(id) : null) },
      commonjs({ include: joined.map((name) => `${dirname(fileOf(name))}/**`) }),
    ],
  });
  // All of it has been read: the bundle takes its place.
  rmSync(dist, { recursive: true });
  await bundled.write({
    ...{ dir: dist, format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name].cjs' },
    manualChunks: chunkOf,
  });
  for (const name of joined) {
    const folder = dirname(fileOf(name));
    const license = readdirSync(folder).find((file) => /^licen[cs]e(?:\.|$)/i.test(file));
    cpSync(`${folder}/${license}`, `${dist}/LICENSE.${name}`);
  }
}

/** What asks and answers, which more than one command needs, is one file; what is loaded later, and the commands, are left to Rollup. */
function chunkOf(id) {
  if (id.includes('/packages/certpin/')) return 'certpin';
  const [, name] =
    /\/packages\/cli\/dist\/([\w-]+|forms\/[\w-]+|files\/(?:file-reader|render-key|password|file-error))\.js$/.exec(
      id,
    ) ?? [];
  return name === undefined || ['main', 'asker', 'askers', 'run', 'terminal', 'completion'].includes(name)
    ? undefined
    : 'common';
}

/** The library as ES modules; another package as the command line itself finds it, for there may be several versions. */
function fileOf(id) {
  if (id.startsWith('certpin')) return fileURLToPath(import.meta.resolve(id));
  return createRequire(`${cli}/src/main.ts`).resolve(id);
}
