// The accident this prevents: the library works on the Node of whoever wrote it, and fails on another one that it promises to
// support. Runs the *compiled* library, under its package name, on every one of them.
//
//   npm run test:nodes                       on the binaries of dev/tools/nodes, which npm installs at the first run (Linux x64)
//   npm run test:nodes -- --all              also the tests that `npm test` runs on some of them alone, or in test:unit
//   npm run test:nodes -- /path/to/node …    all of them on these binaries, on any platform
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { certificateHex, type Minted, mint, publicKeyPin } from '../testkit/src/index.ts';
import { findPackage, supportsNode } from './nodes/packages.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const nodesFolder = join(root, 'dev', 'tools', 'nodes');

/** `npm run test:unit` runs these on its Node, with the same build. */
const suitesOfUnit: readonly string[] = [
  'packages/certpin/test/conformance.test.ts',
  'packages/auth0/test/inline/inline.test.ts',
];

/**
 * Tests that run only on some Nodes, and with `--all` on each: by the beginnings of their paths in the `test` folder of a package.
 * `npm run test:unit` runs them all on Node 20.
 * Here the guard runs on the oldest Node, and on the newest one, which has another OpenSSL. Node 22, which Auth0 has, runs the scripts and the proofs
 * of packages/auth0.
 * The conformance suite, the blocks and the adapters' own tests are the heavy part, so only `--all` runs them here. Those of `driver-tls` are not for
 * Node 20, which does not announce TLS sockets.
 */
const testsOf: Readonly<Record<string, readonly string[]>> = {
  18: ['tls/', 'leaf/', 'wire/'],
  22: ['adapters/driver-tls'],
  26: ['tls/'],
};

/** Test files, from the root of the repository. TypeScript is compiled once, before. */
const suites: readonly string[] = [
  ...suitesOfUnit,
  ...testFiles('dev/tools/nodes'),
  'dev/tools/nodes/smoke.mjs',
  ...['tls', 'leaf', 'wire', 'adapters'].flatMap((folder) => testFiles(`packages/certpin/test/${folder}`)),
];

/** @param version `v22.23.3`. @returns the text in place of a count. undefined: the suite runs on this Node */
function leftOut(version: string, suite: string): 'in test:unit' | 'not run' | undefined {
  const major = majorOf(version);
  if (suitesOfUnit.includes(suite) && major === majorOf(process.version)) return 'in test:unit';
  const path = /^packages\/[^/]+\/test\/(.+)$/.exec(suite)?.[1];
  return path === undefined || testsOf[major]?.some((start) => path.startsWith(start)) ? undefined : 'not run';
}

function majorOf(version: string): string {
  return /^v(\d+)/.exec(version)?.[1] ?? '';
}

/** Clients and versions with a row of their own: the name of their tests, and that of their package if it differs. */
const clients: Readonly<Record<string, string>> = {
  'axios 1.21': 'axios',
  'axios 1.11': 'axios-1.11',
  'axios 1.7': 'axios-1.7',
  'axios 1.6': 'axios-1.6',
  'axios 1.0': 'axios-1.0',
  'axios 0.30': 'axios-0.30',
  'axios 0.21': 'axios-0.21',
  got: 'got',
  'node-fetch': 'node-fetch',
  superagent: 'superagent',
  ws: 'ws',
  'undici 8': 'undici-8',
  'undici 7': 'undici-7',
  'undici 6': 'undici-6',
  'undici 5': 'undici-5',
  'pg 8.23': 'pg',
  'pg 8.9': 'pg-8.9',
  'mysql2 3.0': 'mysql2-3.0',
  'ldapts 9': 'ldapts-9',
  'ldapts 8.2': 'ldapts',
  'ldapjs 3': 'ldapjs',
  'ldapjs 2': 'ldapjs-2',
  'ioredis 6.0': 'ioredis-6',
  'ioredis 5.11': 'ioredis',
  'ioredis 4.31': 'ioredis-4',
  'redis 6.3': 'redis-6',
  'redis 5.12': 'redis',
  'redis 4.7': 'redis-4',
  'redis 3.1': 'redis-3',
  'mongodb 4.17': 'mongodb-4',
  'mongodb 5.1': 'mongodb-5.1',
  'mongodb 5.9': 'mongodb-5',
  'mongodb 7.9': 'mongodb-7',
  'mongoose 9': 'mongoose',
  'tedious, strict': 'tedious',
  'tedious 20': 'tedious-20',
  'tedious 19': 'tedious',
  'tedious 18': 'tedious-18',
  'tedious 16': 'tedious-16',
  'tedious 15': 'tedious-15',
  'tedious 11': 'tedious-11',
  'mssql 12': 'mssql',
  'mssql 11': 'mssql-11',
  'mssql 10': 'mssql-10',
  'mssql 7': 'mssql-7',
};

/** Adapters whose tests run on every Node with a client that is made for the test. So no package of that name decides. */
const adaptersOfNode: readonly string[] = [
  'driver-tls',
  'driver-tls-clients',
  'fetch',
  'forward',
  'inline',
  'mariadb',
  'mongodb',
  'redis-cluster',
  'redis-forward',
  'redis-naive',
  'undici',
];

/** Four times what the slowest suite takes on two cores (conformance: 140 s). A suite that takes longer hangs. */
const SUITE_TIMEOUT_MS = 600_000;

/** One line of what dev/tools/nodes/reporter.mjs writes. */
interface TestOutcome {
  /** The top-level `describe` or test. */
  readonly group: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why a test was skipped. */
  readonly reason?: string;
}

interface Run {
  /** The binary. */
  readonly node: string;
  readonly version: string;
  readonly suite: string;
}

interface Outcome {
  /** `v20.20.2` */
  readonly node: string;
  readonly suite: string;
  readonly tests: readonly TestOutcome[];
  readonly failed: boolean;
  readonly seconds: number;
}

async function main(args: readonly string[]): Promise<void> {
  const binaries = args.filter((word) => word !== '--all');
  const all = args.includes('--all') || binaries.length > 0;
  if (!existsSync(join(root, 'packages/certpin/dist/cjs/package.json'))) {
    throw new Error('the library is not built; run: npm run build');
  }
  install(binaries.length === 0);
  const nodes = binaries.length > 0 ? binaries : installedNodes();
  const folder = mkdtempSync(join(tmpdir(), 'certpin-nodes-'));
  const started = performance.now();
  try {
    const minted = join(folder, 'minted.json');
    writeFileSync(minted, JSON.stringify(await mintAll()));
    const transpiled = join(folder, 'transpiled.json');
    writeFileSync(transpiled, JSON.stringify(transpileTests()));
    const env = { ...process.env, CERTPIN_MINTED: minted, CERTPIN_TRANSPILED: transpiled };
    const runs = nodes.flatMap((node) => {
      const version = versionOf(node);
      return suites
        .filter((suite) => all || leftOut(version, suite) === undefined)
        .map((suite) => ({ node, version, suite }));
    });
    const outcomes: Outcome[] = [];
    const work = async (): Promise<void> => {
      for (let next = runs.shift(); next !== undefined; next = runs.shift()) {
        outcomes.push(await run(next, folder, env));
      }
    };
    // Twice the number of cores: a suite waits for its servers half of the time.
    await Promise.all(Array.from({ length: 2 * Math.min(availableParallelism(), 4) }, work));
    report(outcomes, all);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${Math.round((performance.now() - started) / 1000)} s`);
}

/** The tests, and what they need, as JavaScript: by their paths from the root of the repository. */
function transpileTests(): Record<string, string> {
  const files = ['packages/certpin/test', 'packages/auth0/test/inline', 'dev/testkit/src', 'dev/tools/nodes'].flatMap(
    (folder) => ts.sys.readDirectory(join(root, folder), ['.ts'], ['**/node_modules', '**/*.d.ts']),
  );
  const { ESNext: module } = ts.ModuleKind;
  const compilerOptions = { module, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true, inlineSourceMap: true };
  const entries = files.map((file): [string, string] => {
    const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions, fileName: file });
    return [relative(root, file), outputText];
  });
  return Object.fromEntries(entries);
}

function versionOf(node: string): string {
  return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
}

function testFiles(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/** Installs the clients of dev/tools/nodes/package.json, and its Node binaries, if they are missing or of another version. */
function install(withBinaries: boolean): void {
  if (withBinaries && (process.platform !== 'linux' || process.arch !== 'x64')) {
    const here = `${process.platform} ${process.arch}`;
    throw new Error(
      `dev/tools/nodes has Node binaries for linux x64, and this is ${here}; name your own: npm run test:nodes -- /path/to/node …`,
    );
  }
  const { dependencies, optionalDependencies } = readManifest();
  const wanted = { ...dependencies, ...(withBinaries ? optionalDependencies : {}) };
  const isInstalled = ([alias, specifier]: [string, string]): boolean => {
    const manifest = join(nodesFolder, 'node_modules', alias, 'package.json');
    // The packages spell their versions both ways, v18.20.8 and 20.20.2.
    return (
      existsSync(manifest) &&
      specifier.endsWith(`@${(readJson(manifest) as { version: string }).version.replace('v', '')}`)
    );
  };
  if (Object.entries(wanted).every(isInstalled)) return;
  console.log(
    `installing dev/tools/nodes: ${withBinaries ? 'Node binaries (some 900 MB, once) and clients' : 'clients'}`,
  );
  // A client for a newer Node is not refused: it runs on the Node that it needs.
  const flags = ['--no-audit', '--no-fund', '--no-engine-strict', ...(withBinaries ? [] : ['--omit=optional'])];
  execFileSync('npm', ['ci', ...flags], { cwd: nodesFolder, stdio: 'inherit' });
}

function installedNodes(): string[] {
  const aliases = Object.keys(readManifest().optionalDependencies);
  return aliases.map((alias) => join(nodesFolder, 'node_modules', alias, 'bin/node'));
}

function readManifest(): Record<'dependencies' | 'optionalDependencies', Record<string, string>> {
  return readJson(join(nodesFolder, 'package.json')) as ReturnType<typeof readManifest>;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Every certificate that the smoke test presents. It is minted here, so that the test itself needs only Node and certpin. */
async function mintAll(): Promise<Record<string, object>> {
  const rootCa = await mint({ subject: 'CN=Root', ca: true });
  const intermediate = await mint({ subject: 'CN=Intermediate', ca: true, issuer: rootCa });
  const certificates: Record<string, Minted> = {
    server: await mint(),
    other: await mint(),
    expired: await mint({ validFromDays: -30, validToDays: -1 }),
    client: await mint({ subject: 'CN=client', names: ['client.example'] }),
    root: rootCa,
    intermediate,
    leaf: await mint({ issuer: intermediate }),
    forged: await mint({ issuer: intermediate, signedBy: await mint() }),
  };
  const entries = Object.entries(certificates).map(async ([name, certificate]) => [
    name,
    {
      certificate: certificate.chainPem,
      key: certificate.keyPem,
      hex: certificateHex(certificate),
      publicKeyPin: await publicKeyPin(certificate),
    },
  ]);
  return Object.fromEntries(await Promise.all(entries)) as Record<string, object>;
}

/** The packages that the tests import by their sources are the compiled ones: see dev/tools/nodes/compiled.mjs. */
async function run({ node, version, suite }: Run, folder: string, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const ours = (name: string): string => join(nodesFolder, name);
  const loaders = [ours('no-warnings.mjs'), ...(suite.endsWith('.ts') ? [ours('compiled.mjs')] : [])];
  const results = join(folder, `${version}-${suite.replaceAll('/', '-')}.jsonl`);
  const flags = [
    '--enable-source-maps',
    ...loaders.flatMap((loader) => ['--import', loader]),
    ...['--test-reporter=tap', '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${ours('reporter.mjs')}`, `--test-reporter-destination=${results}`],
  ];
  const begun = performance.now();
  const child = spawn(node, [...flags, suite], { cwd: root, env, timeout: SUITE_TIMEOUT_MS });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  const lines = existsSync(results) ? readFileSync(results, 'utf8').split('\n').filter(Boolean) : [];
  const tests = lines.map((line) => JSON.parse(line) as TestOutcome);
  // A run that ended badly, or in which nothing ran, has failed, whatever its tests say.
  const failed = code !== 0 || tests.length === 0 || tests.some(({ outcome }) => outcome === 'failed');
  const end = child.killed ? `ended after ${SUITE_TIMEOUT_MS / 1000} s: it hangs` : `exit code ${code}`;
  if (failed) console.log(`\n${version} ${suite} (${end})\n${output}`);
  return { node: version, suite, tests, failed, seconds: Math.round((performance.now() - begun) / 1000) };
}

function notesOfLeftOut(nodes: readonly string[]): string[] {
  return nodes.flatMap((node) => {
    const [unit, none] = (['in test:unit', 'not run'] as const).map((how) =>
      suites.filter((suite) => leftOut(node, suite) === how),
    );
    const folders = [...new Set((none ?? []).map((suite) => basename(dirname(suite))))].join(', ');
    return [
      ...(unit?.length ? [`${node} runs in test:unit, and not here: ${unit.join(', ')}`] : []),
      ...(folders ? [`not run on ${node}, but with npm run test:nodes -- --all: ${folders}`] : []),
    ];
  });
}

/** The row of a test: its client, or the adapter. The name of the file, or of its tests in the conformance suite, says which. */
function rowOf(suite: string, group: string): string {
  const client = Object.keys(clients).find((name) => group === name || group.startsWith(`${name}:`));
  if (client !== undefined) return client;
  const adapter = /^(.+) conforms$/.exec(group)?.[1];
  if (adapter !== undefined) return adapter;
  const folder = basename(dirname(suite));
  return folder === 'tls' ? folder : basename(suite).replace(/(?:\.test)?\.m?[jt]s$/, '');
}

function report(outcomes: readonly Outcome[], all: boolean): void {
  const nodes = [...new Set(outcomes.map(({ node }) => node))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const tests = outcomes.flatMap(({ node, suite, tests }) =>
    tests.map(({ group, ...test }) => ({ node, suite, row: rowOf(suite, group), ...test })),
  );
  const rows = [...new Set([...tests.map(({ row }) => row), ...Object.keys(clients)])].sort();
  const width = Math.max(...rows.map((row) => row.length)) + 2;
  const notes: string[] = [];
  let missing = 0;

  console.log(
    `\nTests passed, by client and Node\n${''.padEnd(width)}${nodes.map((node) => node.padStart(12)).join('')}`,
  );
  for (const row of rows) {
    const alias = clients[row] ?? (adaptersOfNode.includes(row) ? undefined : row);
    const client = alias === undefined ? undefined : findPackage(alias);
    const cells = nodes.map((node) => {
      const own = tests.filter((test) => test.node === node && test.row === row);
      const count = (outcome: string): number => own.filter((test) => test.outcome === outcome).length;
      const isFor = client === undefined || supportsNode(client, node);
      const needs = `${alias} ${client?.version} is for Node ${client?.engines}`;
      for (const { reason } of own) if (reason !== undefined) notes.push(`${row} on ${node}: ${reason}`);
      if (count('failed') > 0) return `${count('failed')} FAILED`;
      const ofRow = [...new Set(tests.filter((test) => test.row === row).map(({ suite }) => suite))];
      // Nowhere: its tests are for `--all`. There, a client without a test is missing.
      if (ofRow.length === 0 && !all) return 'not run';
      const due = ofRow.filter((suite) => all || leftOut(node, suite) === undefined);
      const silent = due.filter((suite) => !own.some((test) => test.suite === suite));
      if (isFor && silent.length > 0) {
        missing++;
        notes.push(`${row} on ${node}: MISSING in ${silent.join(', ')}`);
        return 'MISSING';
      }
      if (count('passed') > 0) {
        if (!isFor) notes.push(`${row} on ${node}: ${needs}, and was run all the same`);
        return `${count('passed')}${isFor ? '' : '*'}`;
      }
      const [left] = due.length > 0 ? [] : ofRow.flatMap((suite) => leftOut(node, suite) ?? []).sort();
      if (left !== undefined) return left;
      if (isFor && count('skipped') === 0) {
        missing++;
        return 'MISSING';
      }
      if (!isFor) notes.push(`${row} on ${node}: ${needs}, and was not run`);
      return '–';
    });
    console.log(`${row.padEnd(width)}${cells.map((cell) => cell.padStart(12)).join('')}`);
  }
  for (const note of new Set([...notes, ...(all ? [] : notesOfLeftOut(nodes))])) console.log(note);
  const failed = outcomes.filter((outcome) => outcome.failed);
  for (const { node, suite } of failed) console.log(`FAILED: ${suite} on ${node}`);
  const slowest = [...outcomes].sort((one, other) => other.seconds - one.seconds).slice(0, 5);
  for (const { node, suite, seconds } of slowest) console.log(`among the slowest: ${seconds} s, ${suite} on ${node}`);
  const passed = tests.filter(({ outcome }) => outcome === 'passed').length;
  console.log(
    `\n${passed} passed, ${failed.length} test files failed, ${missing} clients missing where they are supported`,
  );
  if (failed.length > 0 || missing > 0) process.exitCode = 1;
}

await main(process.argv.slice(2)).catch((error: Error) => {
  console.error(`test:nodes: ${error.message}`);
  process.exitCode = 1;
});
