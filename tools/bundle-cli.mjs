// Joins the compiled command line, and the library that it asks with, into a few files: looking for a hundred small ones takes longer than
// a handshake. Nothing is minified. What is imported in an action is a file of its own, and other packages stay where they are.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rollup } from '@rollup/wasm-node';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = `${root}packages/cli/dist`;
const isOurs = /^(?:[./]|certpin(?:\/|$))/;

/** The command line and the library are compiled. */
export async function bundleCli() {
  const bundled = await rollup({
    input: `${dist}/main.js`,
    external: (id) => !isOurs.test(id),
    plugins: [{ name: 'library', resolveId: (id) => (id.startsWith('certpin') ? libraryFile(id) : null) }],
  });
  // All of it has been read: the bundle takes its place.
  rmSync(dist, { recursive: true });
  await bundled.write({
    ...{ dir: dist, format: 'es', chunkFileNames: '[name].js' },
    manualChunks: (id) => (id.includes('/packages/certpin/') ? 'certpin' : undefined),
  });
}

function libraryFile(id) {
  return fileURLToPath(import.meta.resolve(id));
}
