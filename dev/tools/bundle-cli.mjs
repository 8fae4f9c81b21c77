// Joins the compiled command line into a few files, with the library, the reader of pins files, and the parts of other packages that every
// command needs. Looking for a hundred small files takes longer than a handshake. The files are CommonJS, which Node loads in half of the
// time that ES modules take. Nothing is minified. Each command is a file of its own, and so is what an action imports.
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import commonjs from '@rollup/plugin-commonjs';
import { rollup } from '@rollup/wasm-node';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cli = `${root}packages/cli`;
const dist = `${cli}/dist`;
/** Packages of others that are joined. Their licences are next to the bundle. */
const joined = ['commander', 'jsonc-parser', 'leven', 'picocolors'];
const isOurs = (id) => /^(?:certpin(?:\/|$)|@certpin\/(?:pins-file|auth0\/sarif)$)/.test(id);
const isJoined = (id) => /^[./\0]/.test(id) || isOurs(id) || joined.includes(id);

/** The command line and the library are compiled. */
export async function bundleCli() {
  const bundled = await rollup({
    input: `${dist}/main.js`,
    external: (id) => !isJoined(id),
    // Code that takes one word from the reader of pins files must not load the reader.
    treeshake: { moduleSideEffects: (id) => !id.includes('/packages/pins-file/') && !id.includes('/jsonc-parser/') },
    plugins: [
      { name: 'packages', resolveId: (id) => (isOurs(id) || joined.includes(id) ? fileOf(id) : null) },
      commonjs({ include: joined.map((name) => `${folderOf(name)}/**`) }),
    ],
  });
  // At the places where the documentation, and the joined reader, expect it.
  cpSync(`${root}packages/pins-file/pins.schema.json`, `${cli}/pins.schema.json`);
  // Everything has been read: the bundle takes its place.
  rmSync(dist, { recursive: true });
  await bundled.write({
    ...{ dir: dist, format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name].cjs' },
    manualChunks: chunkOf,
  });
  for (const name of joined) {
    const folder = folderOf(name);
    const license = readdirSync(folder).find((file) => /^licen[cs]e(?:\.|$)/i.test(file));
    cpSync(`${folder}/${license}`, `${dist}/LICENSE.${name}`);
  }
}

/**
 * The code for questions and answers, which several commands need, is one file. Rollup decides about commands, and about what is loaded
 * later.
 */
function chunkOf(id) {
  if (id.includes('/packages/certpin/')) return 'certpin';
  if (/\/packages\/pins-file\/dist\/(?:closest|days|each-address|pins-file-error|plain-words)\.js$/.test(id))
    return 'common';
  if (/\/packages\/pins-file\/|\/jsonc-parser\//.test(id)) return 'pins-file';
  const [, name] =
    /\/packages\/cli\/dist\/([\w-]+|(?:answers|command-line|forms|scan)\/[\w-]+|terminal\/progress|files\/(?:file-reader|password|file-error))\.js$/.exec(
      id,
    ) ?? [];
  return name === undefined || ['main', 'run', 'command-line/completion'].includes(name) ? undefined : 'common';
}

/**
 * Finds our own packages as ES modules. Other packages are found as the command line itself finds them, because there may be several
 * versions. The package jsonc-parser has ES modules too, but its package.json says so only to bundlers, and its other form cannot be
 * joined.
 */
function fileOf(id) {
  if (isOurs(id)) return fileURLToPath(import.meta.resolve(id));
  return createRequire(`${cli}/src/main.ts`).resolve(id).replace('/jsonc-parser/lib/umd/', '/jsonc-parser/lib/esm/');
}

function folderOf(name) {
  const file = fileOf(name);
  return file.slice(0, file.lastIndexOf(`/${name}/`) + name.length + 1);
}
