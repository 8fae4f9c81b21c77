// Bundles the library per client into the block that stands inside an Auth0 script: packages/auth0/dist/inline/<client>.js.
// Rollup joins the modules that the client's entry file (packages/certpin/src/inline) imports, and Biome formats the result. The only
// thing that is left out of their text are the docstrings of what a module exports (CONTRIBUTING.md).
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { rollup } from '@rollup/wasm-node';
import { withoutDocstrings } from './docstrings.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const entries = `${root}packages/certpin/build/inline`;

const clients = ['https', 'axios', 'fetch', 'pg', 'mysql2', 'mysql', 'mariadb', 'tedious', 'mongodb', 'ldapts'];

/** Writes all blocks. The library and @certpin/auth0 are compiled. */
export async function buildInline() {
  const { version } = JSON.parse(readFileSync(`${root}packages/certpin/package.json`, 'utf8'));
  const header = await import('../../packages/auth0/dist/inline/header.js');
  mkdirSync(`${root}packages/auth0/dist/inline`, { recursive: true });
  for (const client of clients) {
    const body = format(await bundle(client));
    const lines = [
      header.firstLine(client, version),
      '// The source of https://www.npmjs.com/package/certpin, bundled for one client. Do not edit:',
      '// `certpin auth0 verify FILE` says whether it is unmodified.',
    ];
    const end = `${header.lastLine(client, version)}\n`;
    const before = [...lines, body + end].join('\n').trimEnd().split('\n');
    const text = [...lines, header.digestLine(header.digestOf(before)), body + end].join('\n');
    writeFileSync(`${root}packages/auth0/dist/inline/${client}.js`, text);
  }
}

/** One declaration, which can be in a function: `const certpin = …`. */
async function bundle(client) {
  const bundled = await rollup({
    input: `${entries}/${client}.js`,
    treeshake: { moduleSideEffects: false, tryCatchDeoptimization: false },
    external: /^node:/,
    onwarn,
    plugins: [{ name: 'docstrings', transform: withoutDocstrings }],
  });
  const { output } = await bundled.generate({
    format: 'iife',
    banner: 'const certpin =',
    generatedCode: { constBindings: true },
    // `require` of a name without `node:` works in every platform for scripts. Platforms wrap `require` and check its argument.
    globals: (id) => `require('${id.replace('node:', '')}')`,
    esModule: false,
    externalLiveBindings: false,
    freeze: false,
    interop: 'default',
  });
  return output[0].code;
}

/** A block is not a program for a browser. Its name is in the banner, because Rollup would write `var`. */
function onwarn(warning) {
  if (!['MISSING_NODE_BUILTINS', 'MISSING_NAME_OPTION_FOR_IIFE_EXPORT'].includes(warning.code)) throw warning;
}

function format(code) {
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
  const flags = ['format', '--stdin-file-path=block.js', '--indent-style=space', '--line-width=122'];
  const formatted = execFileSync(process.execPath, [biome, ...flags], { cwd: root, input: code, encoding: 'utf8' });
  // The function around everything would indent everything. No literal goes over a line (form.test.ts), so nothing else changes.
  return formatted.replace(/^ {2}/gm, '');
}
