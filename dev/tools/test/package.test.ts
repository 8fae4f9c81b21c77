// The accident this prevents: every test passes in the checkout, but what npm delivers lacks a file, contains a test, cannot be required,
// or does not compile. So the tests here see only the tarballs, in empty projects far from this one.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { certificateHex, longOnly, mint } from '../../testkit/src/index.ts';
import { codeBlocks } from './markdown.ts';

/** The newest types of Node, besides the oldest ones in the checkout: declarations must compile with both. */
const NEWEST_NODE_TYPES = '26.6.6';

/**
 * `attw` rules that the library may break, each with its reason. None: the profile `node16` leaves out `moduleResolution: node10`, which does
 * not know `exports`. It finds the declarations by `typesVersions`, and a program is compiled with it here.
 */
const ALLOWED_TYPE_PROBLEMS: readonly string[] = [];

const root = fileURLToPath(new URL('../../..', import.meta.url));
const require = createRequire(import.meta.url);
const scratch = mkdtempSync(join(tmpdir(), 'certpin-package-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Manifest {
  readonly version: string;
  readonly exports?: Record<string, string | object>;
  readonly dependencies?: Record<string, string>;
}

interface Packed {
  readonly manifest: Manifest;
  readonly tarball: string;
  readonly files: readonly string[];
}

describe('the README of a package', () => {
  for (const name of readdirSync(join(root, 'packages'))) {
    // Every package has its README in its tarball. Whoever reads it there has the files of the package alone.
    it(`${name}: no link leads out of the package`, () => {
      const readme = readFileSync(join(root, 'packages', name, 'README.md'), 'utf8');
      assert.deepEqual(readme.match(/\]\(\.\.\/[^)]*\)/g) ?? [], []);
    });
  }
});

describe('the tarball of certpin', () => {
  let library: Packed;
  /** An empty project in which nothing but the tarball is installed. */
  let project: string;
  let specifiers: readonly string[];

  before(async () => {
    assert.ok(existsSync(join(root, 'packages/certpin/dist/cjs/package.json')), 'not built; run: npm run build');
    library = await pack('packages/certpin');
    specifiers = Object.entries(library.manifest.exports ?? {})
      .filter(([, target]) => typeof target === 'object')
      .map(([subpath]) => subpath.replace('.', 'certpin'));
    project = await createProject('library', ['--offline', library.tarball]);
  });

  it('holds each subpath twice, what they share, all declarations, README and LICENSE, and nothing else', () => {
    const [esm, cjs] = ['import', 'require'].map((condition) =>
      Object.values(library.manifest.exports ?? {}).flatMap((target) => {
        return typeof target === 'string'
          ? []
          : [join((target as Record<string, { default: string }>)[condition]?.default ?? '')];
      }),
    );
    const shared = library.files.filter((name) => /^dist\/esm\/shared\/[\w-]+\.js$/.test(name));
    const joined = [...(esm ?? []), ...(cjs ?? []), ...shared, ...shared.map((name) => name.replace('esm', 'cjs'))];
    const declarations = sources('packages/certpin/src').flatMap((name) => [
      `dist/esm/${name}.d.ts`,
      `dist/cjs/${name}.d.ts`,
    ]);
    const expected = [...joined, ...declarations, 'dist/cjs/package.json', 'package.json', 'README.md', 'LICENSE'];
    assertFiles(library.files, expected);
  });

  it('has no run-time dependency, and installs without the network and alone', () => {
    assert.equal(library.manifest.dependencies, undefined);
    assert.deepEqual(installedPackages(project), ['certpin']);
  });

  it('passes publint', () => assertPublint(library));

  it('passes attw', async () => {
    const attw = join(dirname(require.resolve('@arethetypeswrong/cli/package.json')), 'dist/index.js');
    const ignored = ALLOWED_TYPE_PROBLEMS.flatMap((rule) => ['--ignore-rules', rule]);
    await run(
      process.execPath,
      [attw, library.tarball, '--profile', 'node16', '--no-color', '--no-emoji', ...ignored],
      root,
    );
  });

  it('exports the same names from every subpath to import and to require, and no default', async () => {
    const imported = await runJson(
      project,
      'names.mjs',
      `
      const names = {};
      for (const specifier of ${JSON.stringify(specifiers)}) names[specifier] = Object.keys(await import(specifier)).sort();
      console.log(JSON.stringify(names));`,
    );
    const required = await runJson(
      project,
      'names.cjs',
      `
      const names = {};
      for (const specifier of ${JSON.stringify(specifiers)}) names[specifier] = Object.keys(require(specifier)).sort();
      console.log(JSON.stringify(names));`,
    );
    assert.deepEqual(imported, required);
    for (const [specifier, names] of Object.entries(imported as Record<string, string[]>)) {
      assert.ok(names.length > 0, `${specifier} exports nothing`);
      assert.ok(!names.includes('default'), `${specifier} has a default export`);
    }
  });

  it('shows no inner module, and its package.json', async () => {
    const answers = await runJson(
      project,
      'inner.mjs',
      `
      const attempt = (specifier, options) => import(specifier, options).then(() => 'loaded', (error) => error.code);
      console.log(JSON.stringify([
        await attempt('certpin/dist/esm/index.js'),
        await attempt('certpin/core/verify'),
        await attempt('certpin/package.json', { with: { type: 'json' } }),
      ]));`,
    );
    assert.deepEqual(answers, ['ERR_PACKAGE_PATH_NOT_EXPORTED', 'ERR_PACKAGE_PATH_NOT_EXPORTED', 'loaded']);
  });

  it('makes errors that either copy recognises as its own', async () => {
    const answers = await runJson(
      project,
      'copies.mjs',
      `
      import { createRequire } from 'node:module';
      import * as imported from 'certpin';
      const required = createRequire(import.meta.url)('certpin');
      const thrown = ({ parsePin }) => { try { parsePin('no pin'); } catch (error) { return error; } };
      console.log(JSON.stringify([
        imported.CertpinError !== required.CertpinError,
        thrown(imported) instanceof required.CertpinError,
        thrown(required) instanceof imported.CertpinError,
        required.findCertpinError(new Error('wrapped', { cause: thrown(imported) })) !== undefined,
      ]));`,
    );
    assert.deepEqual(answers, [true, true, true, true]);
  });

  for (const types of ['oldest', 'newest'] as const) {
    it(
      `compiles in strict projects of every kind, with the ${types} types of Node`,
      types === 'oldest' ? {} : longOnly,
      async () => {
        if (types === 'oldest') copyNodeTypes(project);
        else await npm(project, ['install', '--prefer-offline', '--no-save', `@types/node@${NEWEST_NODE_TYPES}`]);
        for (const name of ['consumer.mts', 'consumer.cts', 'consumer.ts']) {
          writeFileSync(join(project, name), consumer(specifiers));
        }
        await compile(project, ['--module', 'nodenext', 'consumer.mts', 'consumer.cts']);
        await compile(project, ['--module', 'esnext', '--moduleResolution', 'bundler', 'consumer.ts']);
        // As `moduleResolution: node`, which TypeScript 6 calls by its name and takes with a word.
        const node10 = ['--module', 'commonjs', '--moduleResolution', 'node10', '--ignoreDeprecations', '6.0'];
        await compile(project, [...node10, 'consumer.ts']);
      },
    );
  }

  it('compiles every example of the documentation, with the types of the clients', async () => {
    const docs = await createProject('docs', ['--offline', library.tarball]);
    const examples = writeExamples(docs);
    assert.ok(examples.length > 0);
    linkTypes(docs, examples);
    writeFileSync(join(docs, 'taken-for-granted.d.ts'), takenForGranted);
    const inTypeScript = examples.filter(({ file }) => file.endsWith('.mts')).map(({ file }) => file);
    const inJavaScript = examples.filter(({ file }) => !file.endsWith('.mts')).map(({ file }) => file);
    const flags = ['--module', 'nodenext', '--skipLibCheck', 'true', 'taken-for-granted.d.ts'];
    await compile(docs, [...flags, ...inTypeScript]);
    // Nobody writes types in JavaScript.
    const lenient = ['--noImplicitAny', 'false', '--useUnknownInCatchVariables', 'false'];
    await compile(docs, [...flags, '--allowJs', '--checkJs', ...lenient, ...inJavaScript]);
    // Declarations name what Node does not find in a CommonJS package (ldapjs). Packages of ours have more than is installed here.
    const imports = examples.flatMap(({ file, code }) =>
      [...code.matchAll(/^import \{([^}]+)\} from '((?!@certpin\/)[^']+)'/gm)].map(([, names = '', from]) => ({
        ...{ file, from },
        names: names
          .split(',')
          .flatMap((name) => (/^\s*(?:type |$)/.test(name) ? [] : (name.trim().split(' ')[0] ?? ''))),
      })),
    );
    const missing = await runJson(
      docs,
      'imports.mjs',
      `const missing = [];
      for (const { file, from, names } of ${JSON.stringify(imports)}) {
        const found = await import(from);
        missing.push(...names.filter((name) => !(name in found)).map((name) => \`\${file}: \${name} of \${from}\`));
      }
      console.log(JSON.stringify(missing));`,
    );
    assert.deepEqual(missing, []);
  });
});

describe('the tarball of @certpin/pins-file', () => {
  let pinsFile: Packed;
  let project: string;

  before(async () => {
    assert.ok(existsSync(join(root, 'packages/pins-file/dist')), 'not built; run: npm run build');
    pinsFile = await pack('packages/pins-file');
    const library = await pack('packages/certpin');
    project = await createProject('pins-file', ['--prefer-offline', library.tarball, pinsFile.tarball]);
  });

  it('holds each module with its declarations, the schema, README and LICENSE, and nothing else', () => {
    const compiled = sources('packages/pins-file/src').flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`]);
    assertFiles(pinsFile.files, [...compiled, 'pins.schema.json', 'package.json', 'README.md', 'LICENSE']);
  });

  it('passes publint', () => assertPublint(pinsFile));

  it('brings the library, a reader of JSON with comments, and one small package', () => {
    assert.deepEqual(installedPackages(project), ['@certpin/pins-file', 'certpin', 'jsonc-parser', 'leven']);
  });

  it('reads a pins file, and delivers its schema', async () => {
    writeFileSync(
      join(project, 'certpin.json'),
      `{ "version": 1, "targets": [{ "target": "db:1", "pins": ["${'AB'.repeat(32)}"] }] }`,
    );
    const read = await runJson(
      project,
      'read.mjs',
      `import { loadPinsFile } from '@certpin/pins-file';
      import schema from '@certpin/pins-file/pins.schema.json' with { type: 'json' };
      console.log(JSON.stringify([loadPinsFile('certpin.json').entries[0].label, 'entry' in schema.definitions]));`,
    );
    assert.deepEqual(read, ['db:1', true]);
  });

  it('compiles in a strict project', async () => {
    copyNodeTypes(project);
    writeFileSync(
      join(project, 'consumer.mts'),
      `import { type Judged, judge, loadPinsFile, PinsFileError, statuses } from '@certpin/pins-file';
      const { entries } = loadPinsFile('certpin.json');
      export const all: readonly string[] = [...statuses, ...entries.map(({ label }) => label)];
      export const isOurs: boolean = new Error() instanceof PinsFileError;
      export const status = ({ status }: Judged): string => status;
      // @ts-expect-error: an answer is missing
      judge(entries[0]);`,
    );
    await compile(project, ['--module', 'nodenext', 'consumer.mts']);
  });
});

describe('the tarball of @certpin/cli', () => {
  let cli: Packed;
  let auth0: Packed;
  let project: string;

  before(async () => {
    assert.ok(existsSync(join(root, 'packages/cli/dist')), 'not built; run: npm run build');
    cli = await pack('packages/cli');
    auth0 = await pack('packages/auth0');
    const library = await pack('packages/certpin');
    const pinsFile = await pack('packages/pins-file');
    const tarballs = [library, pinsFile, auth0, cli].map(({ tarball }) => tarball);
    project = await createProject('cli', ['--prefer-offline', ...tarballs]);
  });

  it('holds the program in a few files, the licences of what is joined there, the command, its man page, the schema, and nothing else', () => {
    const compiled = readdirSync(join(root, 'packages/cli/dist')).map((name) => `dist/${name}`);
    assert.ok(compiled.includes('dist/main.cjs') && compiled.length < 45, compiled.join());
    const licenses = compiled.filter((name) => name.startsWith('dist/LICENSE.'));
    assert.deepEqual(
      licenses.sort(),
      ['commander', 'jsonc-parser', 'leven', 'picocolors'].map((name) => `dist/LICENSE.${name}`),
    );
    const guides = readdirSync(join(root, 'docs/guides')).map((name) => `guides/${name}`);
    const pages = readdirSync(join(root, 'packages/cli/man')).map((name) => `man/${name}`);
    const extra = ['bin/certpin.cjs', 'pins.schema.json', 'package.json', 'README.md', 'LICENSE'];
    const expected = [...compiled, ...guides, ...pages, ...extra];
    assertFiles(cli.files, expected);
  });

  it('passes publint', () => assertPublint(cli));

  it('installs with the packages that it names, those that they name, and no other', () => {
    const installed = installedPackages(project).map((path) => path.split('node_modules/').at(-1) ?? '');
    const expected = new Set<string>();
    const add = (name: string): void => {
      if (expected.has(name)) return;
      expected.add(name);
      const manifest = JSON.parse(
        readFileSync(join(project, 'node_modules', name, 'package.json'), 'utf8'),
      ) as Manifest;
      for (const dependency of Object.keys(manifest.dependencies ?? {})) add(dependency);
    };
    add('@certpin/cli');
    assert.deepEqual([...new Set(installed)].sort(), [...expected].sort());
  });

  it('runs a script, and proves it, with the package for Auth0', async () => {
    assert.ok(auth0.files.includes('dist/run/child/main.cjs'));
    writeFileSync(join(project, 'delete.js'), 'function remove(id, callback) { callback(null); }');
    const { stdout } = await certpin(project, ['auth0', 'run', 'delete.js', '--arg', 'id=1']);
    assert.match(stdout, /^success: callback\(null\)$/m);
    await assert.rejects(certpin(project, ['auth0', 'prove', 'delete.js', '--arg', 'id=1']), /connected to no server/);
  });

  it('runs as `npx certpin`', async () => {
    const { stdout } = await certpin(project, ['--version']);
    assert.equal(stdout.trim(), cli.manifest.version);
  });

  it('reads a certificate file', async () => {
    const certificate = await mint();
    writeFileSync(join(project, 'server.crt'), certificate.certPem);
    const { stdout } = await certpin(project, ['get', 'server.crt']);
    assert.ok(stdout.replaceAll(':', '').includes(certificateHex(certificate)), stdout);
  });

  it('delivers the schema of pins files, and reads such a file', async () => {
    const path = await runJson(
      project,
      'schema.mjs',
      `import { createRequire } from 'node:module';
      console.log(JSON.stringify(createRequire(import.meta.url).resolve('@certpin/cli/pins.schema.json')));`,
    );
    const { definitions } = JSON.parse(readFileSync(path as string, 'utf8'));
    assert.ok('entry' in definitions);
    writeFileSync(join(project, 'pinned.crt'), (await mint({ validToDays: 300 })).certPem);
    await certpin(project, ['trust', 'pinned.crt', '--yes']);
    const { stdout } = await certpin(project, ['check', '--file', 'certpin.json']);
    assert.match(stdout, /^holds /);
  });

  it('prints configurations that compile with the library of the other tarball and the types of the clients', async () => {
    writeFileSync(join(project, 'db.crt'), (await mint({ names: ['db.example.com'] })).certPem);
    const configurations: Example[] = [];
    for (const format of ['pg', 'mysql2', 'axios', 'fetch']) {
      for (const flags of [[], ['--servername', 'db.internal.example']]) {
        const { stdout: code } = await certpin(project, ['get', '--format', format, 'db.crt', ...flags]);
        const file = `${format}-${flags.length}.mts`;
        writeFileSync(join(project, file), `${code}export {};\n`);
        configurations.push({ file, code });
      }
    }
    linkTypes(project, configurations);
    const files = configurations.map(({ file }) => file);
    await compile(project, ['--module', 'nodenext', '--skipLibCheck', 'true', ...files]);
  });
});

/** Every exported thing that a first program would use, and the mistakes that the types must catch. */
function consumer(specifiers: readonly string[]): string {
  return `
import type { Agent } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { CertpinError, findCertpinError, formatPin, parsePin, parsePins, type Pin, type Verdict, verify } from 'certpin';
import { pinnedAgent } from 'certpin/https';
import { pinnedPg } from 'certpin/pg';
import { type ProbeReport, probe } from 'certpin/probe';
import { connect } from 'certpin/tls';
${specifiers.map((specifier, index) => `import * as subpath${index} from '${specifier}';`).join('\n')}

export const subpaths: readonly object[] = [${specifiers.map((_, index) => `subpath${index}`).join(', ')}];
export const pin: Pin = parsePin('AA');
export const printed: string = formatPin(pin, 'colon');
export const agent: Agent = pinnedAgent({ pins: parsePins([pin, 'AA']), keepAlive: true });
export const socket: TLSSocket = connect({ host: 'db.example', port: 6514, pins: pin });
export const user: string = pinnedPg({ host: 'db.example', user: 'app' }, { pins: pin }).user;
export const report: Promise<ProbeReport> = probe('db.example:5432');
export const verdict: Verdict = verify({ certificates: [] }, { pins: pin });
export const reason: string = verdict.ok ? verdict.matched : verdict.reason;
export const isOurs: boolean = new Error() instanceof CertpinError;

const found = findCertpinError(new Error());
if (found?.code === 'ERR_PIN_INVALID') found.details.position.toFixed();
if (found?.code === 'ERR_PIN_MISMATCH') found.details.verdict.presented[0]?.certificateSha256.slice();

// @ts-expect-error: a misspelt option
pinnedAgent({ pin });
// @ts-expect-error: the verification cannot be switched off
pinnedAgent({ pins: pin, rejectUnauthorized: false });
// @ts-expect-error: a pin is made by parsePin
formatPin({ kind: 'certificate', sha256: 'AA' });
// @ts-expect-error: no such code
if (found?.code === 'ERR_NOT_OURS') found.details;
`;
}

/** What examples of the documentation use and do not show, and packages that they use and the checkout has not. */
const takenForGranted = `
declare const pool: import('pg').Pool;
declare module 'bcryptjs' {
  export function compare(password: string, hash: string): Promise<boolean>;
}
`;

interface Example {
  /** Named after its page and line, so that an error of the compiler leads there. */
  readonly file: string;
  readonly code: string;
}

/**
 * Writes each `ts` and `js` block of the README files and of docs into a file of its own, on the same lines as in its page. The programs of
 * the guides are left out, because they are run.
 */
function writeExamples(project: string): Example[] {
  const pages = [
    'README.md',
    ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`),
  ].filter((page) => page.endsWith('.md'));
  return pages.flatMap((page) =>
    codeBlocks(readFileSync(join(root, page), 'utf8'))
      .filter(({ name }) => name === '' || !page.startsWith('docs/guides/'))
      .filter(({ language }) => language === 'ts' || language === 'js')
      .map(({ language, code, line }) => {
        const extension = language === 'ts' ? 'mts' : /\brequire\(/.test(code) ? 'cjs' : 'mjs';
        const file = `${page.replaceAll('/', '-')}.${line}.${extension}`;
        writeFileSync(join(project, file), '\n'.repeat(line - 1) + code);
        return { file, code };
      }),
  );
}

/** For a package of ours: without its tests and what is installed for them. */
function isPublished(path: string): boolean {
  return !/\/packages\/[\w-]+\/(?:node_modules|src|test)$/.test(path);
}

/** Makes the packages that the examples import known to the project, by links to those of the checkout. */
function linkTypes(project: string, examples: readonly Example[]): void {
  const imports = examples.flatMap(({ code }) => [
    ...code.matchAll(/(?:\bfrom |\brequire\()'((?:@[^/']+\/)?[^/'.][^/']*)/g),
  ]);
  const names = imports.map(([, name = '']) => name).filter((name) => !/^(?:node:|certpin$)/.test(name));
  for (const name of new Set([...names, '@types/node', 'undici-types'])) {
    const types = `@types/${name.replace('@', '').replace('/', '__')}`;
    const found: [string, string][] = [
      [name, name],
      [name, `${name}-7`], // undici, which is installed only under its versions
      [types, types],
      [name, `../packages/certpin/node_modules/${name}`], // If several versions are installed
    ];
    for (const [as, installed] of found) {
      const [from, to] = [join(root, 'node_modules', installed), join(project, 'node_modules', as)];
      if (!existsSync(from) || existsSync(to)) continue;
      mkdirSync(dirname(to), { recursive: true });
      // Their types name classes of certpin: behind a link they would be those of this checkout, and not of the tarball.
      if (name.startsWith('@certpin/')) cpSync(realpathSync(from), to, { recursive: true, filter: isPublished });
      else symlinkSync(from, to);
    }
  }
}

async function pack(folder: string): Promise<Packed> {
  const { stdout } = await npm(join(root, folder), ['pack', '--json', '--pack-destination', scratch]);
  const [packed] = Object.values(JSON.parse(stdout)) as { filename: string; files: { path: string }[] }[];
  assert.ok(packed);
  return {
    manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest,
    tarball: join(scratch, packed.filename),
    files: packed.files.map(({ path }) => path),
  };
}

/** The TypeScript modules below a folder, without their extension. */
function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -'.ts'.length));
}

function assertFiles(files: readonly string[], expected: readonly string[]): void {
  const missing = expected.filter((file) => !files.includes(file));
  const unexpected = files.filter((file) => !expected.includes(file));
  assert.deepEqual({ missing, unexpected }, { missing: [], unexpected: [] });
}

async function assertPublint({ manifest, tarball }: Packed): Promise<void> {
  const bytes = readFileSync(tarball);
  const { messages } = await publint({
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
    strict: true,
  });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, manifest)),
    [],
  );
}

async function createProject(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(scratch, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  await npm(folder, ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...packages]);
  return folder;
}

/** The installed packages by name, scoped ones with their scope, nested ones with the path to them. */
function installedPackages(project: string): string[] {
  const modules = join(project, 'node_modules');
  return readdirSync(modules, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(?:^|node_modules\/)(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/.test(name))
    .map((name) => dirname(name))
    .sort();
}

/** As from the registry, but without it. */
function copyNodeTypes(project: string): void {
  const nodeTypes = dirname(require.resolve('@types/node/package.json'));
  const undiciTypes = dirname(createRequire(join(nodeTypes, 'package.json')).resolve('undici-types/package.json'));
  for (const [name, from] of Object.entries({ '@types/node': nodeTypes, 'undici-types': undiciTypes })) {
    cpSync(from, join(project, 'node_modules', name), { recursive: true });
  }
}

async function compile(project: string, args: readonly string[]): Promise<void> {
  const tsc = require.resolve('typescript/bin/tsc');
  const flags = [
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--skipLibCheck',
    'false',
    '--target',
    'es2022',
  ];
  await run(process.execPath, [tsc, ...flags, '--types', 'node', ...args], project);
}

async function runJson(project: string, name: string, source: string): Promise<unknown> {
  writeFileSync(join(project, name), source);
  const { stdout } = await run(process.execPath, [name], project);
  return JSON.parse(stdout);
}

function certpin(project: string, args: readonly string[]): Promise<Output> {
  return run('npx', ['--no-install', 'certpin', ...args], project);
}

function npm(folder: string, args: readonly string[]): Promise<Output> {
  return run('npm', args, folder);
}

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. If it fails, the failure shows everything that it printed. */
async function run(command: string, args: readonly string[], cwd: string): Promise<Output> {
  try {
    return await promisify(execFile)(command, args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Partial<Output> & Error;
    throw new Error(`${relative(root, cwd)}: ${message}\n${stdout}${stderr}`);
  }
}
