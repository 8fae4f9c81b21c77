// Joins the compiled modules of the library into a few files, once for `import` and once for `require`. Looking for 26 small files took
// longer than reading them. Nothing is minified. What several subpaths need is in dist/*/shared: no subpath loads what it does not use.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from '@rollup/wasm-node';

const library = fileURLToPath(new URL('../../packages/certpin', import.meta.url));
const modules = `${library}/build`;

/** The library is compiled. */
export async function bundleLibrary() {
  const bundled = await rollup({ input: entries(), external: /^node:/, treeshake: { moduleSideEffects: false } });
  const common = {
    chunkFileNames: 'shared/[name].js',
    manualChunks: (id) => (/\/(?:core|leaf|errors\.js)/.test(id.slice(modules.length)) ? 'core' : undefined),
    minifyInternalExports: false,
    hoistTransitiveImports: false,
  };
  await bundled.write({ ...common, dir: `${library}/dist/esm`, format: 'es' });
  await bundled.write({ ...common, dir: `${library}/dist/cjs`, format: 'cjs', esModule: true, interop: 'default' });
  // Without the marker, Node would read dist/cjs/*.js as ES modules, because of "type" in package.json.
  writeFileSync(`${library}/dist/cjs/package.json`, '{ "type": "commonjs" }\n');
  for (const format of ['esm', 'cjs'])
    cpSync(modules, `${library}/dist/${format}`, { recursive: true, filter: (path) => !path.endsWith('.js') });
}

/** What package.json exports, by its path in dist/esm. */
function entries() {
  const { exports } = JSON.parse(readFileSync(`${library}/package.json`, 'utf8'));
  const files = Object.values(exports).flatMap(({ import: imported }) => imported?.default ?? []);
  const names = files.map((file) => relative('dist/esm', file).replace(/\.js$/, ''));
  return Object.fromEntries(names.map((name) => [name, `${modules}/${name}.js`]));
}
