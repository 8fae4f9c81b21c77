// Builds what is published. The library is there twice, of one source, because `require()` of an ES module needs Node 20.19 or 22.12
// and certpin supports Node 18.
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundleCli } from './bundle-cli.mjs';
import { bundleLibrary } from './bundle-library.mjs';
import { buildInline } from './inline.mjs';
import { buildRulePages } from './rule-pages.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const compile = (project) => execFileSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' });

for (const made of ['certpin/build', 'certpin/dist', 'pins-file/dist', 'auth0/dist', 'cli/dist'])
  rmSync(new URL(`../../packages/${made}`, import.meta.url), { recursive: true, force: true });

compile('packages/certpin/tsconfig.json');
await bundleLibrary();
compile('packages/pins-file/tsconfig.json');
compile('packages/auth0/tsconfig.json');
await buildInline();
// The program that scripts run in is CommonJS as it is written, for it runs on Node 18 without any build.
cpSync(
  new URL('../../packages/auth0/src/run/child', import.meta.url),
  new URL('../../packages/auth0/dist/run/child', import.meta.url),
  {
    recursive: true,
  },
);
buildRulePages();
compile('packages/cli/tsconfig.json');
await bundleCli();
