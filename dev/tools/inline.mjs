// Bundles the library per client into the block that stands inside an Auth0 script: packages/auth0/dist/inline/<client>.js.
// Nothing is rewritten: Rollup joins the compiled modules and leaves out what the client does not reach, and Biome formats the result.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { rollup } from '@rollup/wasm-node';

const root = fileURLToPath(new URL('../..', import.meta.url));
const library = `${root}packages/certpin/build`;

/** What each block offers, the adapter that has it, and who asks for TLS there (core/form.ts). */
const clients = {
  https: ['https', 'pinnedAgent', 'nobody'],
  axios: ['axios', 'pinnedAxios', 'nobody'],
  fetch: ['undici', 'pinnedFetch', 'nobody'],
  pg: ['pg', 'pinnedPg', 'certpin'],
  mysql2: ['mysql2', 'pinnedMysql2', 'driver'],
  mysql: ['mysql', 'pinnedMysql', 'driver'],
  mariadb: ['mariadb', 'pinnedMariadb', 'driver'],
};

/** Writes all blocks. The library and @certpin/auth0 are compiled. */
export async function buildInline() {
  const { version } = JSON.parse(readFileSync(`${root}packages/certpin/package.json`, 'utf8'));
  const header = await import('../../packages/auth0/dist/inline/header.js');
  mkdirSync(`${root}packages/auth0/dist/inline`, { recursive: true });
  for (const [client, [adapter, pinned, asks]] of Object.entries(clients)) {
    const body = format(toDeclaration(await bundle(adapter, pinned, asks)));
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

/** One ES module without imports of its own but Node's. */
async function bundle(adapter, pinned, asks) {
  const entry = '\0entry';
  const bundled = await rollup({
    input: entry,
    treeshake: { moduleSideEffects: false, tryCatchDeoptimization: false },
    external: /^node:/,
    plugins: [
      {
        name: 'inline',
        resolveId: (id) => (id === entry ? id : null),
        transform: (code) => toInlineForm(code, asks),
        load: (id) => {
          if (id !== entry) return null;
          return `export { ${pinned} } from '${library}/adapters/${adapter}.js';
                  export { findCertpinError } from '${library}/core/errors.js';`;
        },
      },
    ],
  });
  const { output } = await bundled.generate({ format: 'es' });
  return output[0].code;
}

/**
 * Says that this is the inline form (core/form.ts), and drops the docstrings: they tell how a function is called, and stand in the
 * source. The comments between the lines, which tell why, stay.
 */
function toInlineForm(code, asks) {
  return code
    .replace(/^import \{.*\} from .*\/form\.js.*\n/m, '')
    .replace(/\bINLINE\b/g, 'true')
    .replace(/\bASKS\b/g, `'${asks}'`)
    .replace(/^[ \t]*\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n/gm, '');
}

/** The module as one declaration, which can stand in a function: its imports become calls of `require`, its exports a result. */
function toDeclaration(code) {
  const body = code
    // `require` of a name without `node:` works wherever scripts run; platforms wrap it and look at what it is given.
    .replace(/^import \{(.*)\} from 'node:(.*)';$/gm, (_, names, module) => {
      return `const {${names.replaceAll(' as ', ': ')}} = require('${module}');`;
    })
    .replace(/^export \{(.*)\};$/m, 'return {$1};')
    .replace(/^(?:function|class) /gm, '\n$&');
  return `const certpin = (() => {\n'use strict';\n\n${body}})();\n`;
}

function format(code) {
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
  const flags = ['format', '--stdin-file-path=block.js', '--indent-style=space', '--line-width=122'];
  const formatted = execFileSync(process.execPath, [biome, ...flags], { cwd: root, input: code, encoding: 'utf8' });
  // The function around everything would indent everything; no literal goes over a line (form.test.ts), so nothing else changes.
  return formatted.replace(/^ {2}/gm, '');
}
