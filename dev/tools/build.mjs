// Builds what is published, and the Prisma clients of the examples. The library is there twice, of one source, because `require()` of an ES
// module needs Node 20.19 or 22.12 and certpin supports Node 18.
//
//   node dev/tools/build.mjs                  builds everything
//   node dev/tools/build.mjs --if-changed     only if a source, or what was built of it, is not as at the last build: `npm ci && npm test` builds once
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundleCli } from './bundle-cli.mjs';
import { bundleLibrary } from './bundle-library.mjs';
import { digestOf } from './digest.mjs';
import { buildInline } from './inline.mjs';
import { buildRulePages } from './rule-pages.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const compile = (project) => execFileSync(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' });

const made = [
  'packages/certpin/build',
  'packages/certpin/dist',
  'packages/pins-file/dist',
  'packages/auth0/dist',
  'packages/watch/dist',
  'packages/cli/dist',
  'packages/cli/guides',
  'packages/cli/pins.schema.json',
  'examples/orm/prisma/generated',
];
const before = sourcesAsTheyAre();
const stamp = `${root}node_modules/.certpin-built`;
if (process.argv.includes('--if-changed') && readStamp() === stampOf(before)) {
  console.log('built already, of the same sources');
  process.exit();
}
rmSync(stamp, { force: true });
for (const path of made) rmSync(`${root}${path}`, { recursive: true, force: true });

compile('packages/certpin/tsconfig.json');
await bundleLibrary();
compile('packages/pins-file/tsconfig.json');
compile('packages/watch/tsconfig.json');
compile('packages/auth0/tsconfig.json');
await buildInline();
// The program in which scripts run is written in CommonJS: it runs on Node 18 without a build.
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
// `certpin help NAME` prints them.
cpSync(new URL('../../docs/guides', import.meta.url), new URL('../../packages/cli/guides', import.meta.url), {
  recursive: true,
});
await import('./prisma.mjs');
writeFileSync(stamp, stampOf(before));

/** The sources, and what stands there that was built of them: somebody may have damaged it, or copied an older build. */
function stampOf(before) {
  return `${before}\n${digestOf(root, made)}\n`;
}

function sourcesAsTheyAre() {
  return `${process.version} ${digestOf(root, sources())}`;
}

/** Everything that the build reads, but the packages of others, which the lock file names. */
function sources() {
  const folders = ['packages', 'dev/tools', 'docs/guides', 'docs/reference/lint', 'examples/orm/prisma'];
  const isMade = (path) => made.some((one) => path === one || path.startsWith(`${one}/`));
  const isSource = (path) =>
    !/(?:^|\/)(?:node_modules|dist|build|test|man|generated|nodes|sandboxes|tenant-clients)\//.test(path);
  const found = folders.flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, path = parentPath, name }) => `${parentPath ?? path}/${name}`.slice(root.length))
      .filter((path) => !isMade(path) && (path.startsWith('docs/') || isSource(path))),
  );
  return [...found, 'package-lock.json', ...readdirSync(root).filter((name) => name.startsWith('tsconfig'))];
}

function readStamp() {
  return existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined;
}
