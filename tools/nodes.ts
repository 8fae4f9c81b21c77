// The accident this prevents: the library works on the Node of whoever wrote it, and fails on another one that it promises to
// support. Runs the *compiled* library, under its package name, on every one of them.
//
//   npm run test:nodes                       on the binaries of tools/nodes, which npm installs at the first run (Linux x64)
//   npm run test:nodes -- /path/to/node …    on these binaries, on any platform
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { certificateHex, type Minted, mint, publicKeyPin } from '../testkit/src/index.ts';

/** Test files to run on each Node, from the root of the repository. TypeScript is loaded with tsx. */
const suites: readonly string[] = [
  'tools/nodes/smoke.mjs',
  'packages/certpin/test/conformance.test.ts',
  'packages/certpin/test/tls/connect.test.ts',
  'packages/certpin/test/adapters/https.test.ts',
  'packages/certpin/test/adapters/axios.test.ts',
  'packages/certpin/test/adapters/http2.test.ts',
  'packages/certpin/test/adapters/undici.test.ts',
  'packages/certpin/test/adapters/postgres.test.ts',
];

/** A suite that is still running after this time hangs. */
const SUITE_TIMEOUT_MS = 120_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const nodesFolder = join(root, 'tools', 'nodes');

interface Outcome {
  readonly node: string;
  readonly suite: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

async function main(binaries: readonly string[]): Promise<void> {
  if (!existsSync(join(root, 'packages/certpin/dist/cjs/package.json'))) {
    throw new Error('the library is not built; run: npm run build');
  }
  const nodes = binaries.length > 0 ? binaries : installedNodes();
  const folder = mkdtempSync(join(tmpdir(), 'certpin-nodes-'));
  const outcomes: Outcome[] = [];
  try {
    const minted = join(folder, 'minted.json');
    writeFileSync(minted, JSON.stringify(await mintAll()));
    for (const node of nodes) {
      for (const suite of suites) outcomes.push(await run(node, suite, { ...process.env, CERTPIN_MINTED: minted }));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  report(outcomes);
}

/** The binaries of tools/nodes/package.json; installs them where they are missing or of another version. */
function installedNodes(): string[] {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    const here = `${process.platform} ${process.arch}`;
    throw new Error(
      `tools/nodes has Node binaries for linux x64, and this is ${here}; name your own: npm run test:nodes -- /path/to/node …`,
    );
  }
  const { dependencies } = readJson(join(nodesFolder, 'package.json')) as { dependencies: Record<string, string> };
  const isInstalled = ([alias, specifier]: [string, string]): boolean => {
    const manifest = join(nodesFolder, 'node_modules', alias, 'package.json');
    // The packages spell their versions both ways, v18.20.8 and 20.20.2.
    return (
      existsSync(manifest) &&
      specifier.endsWith(`@${(readJson(manifest) as { version: string }).version.replace('v', '')}`)
    );
  };
  if (!Object.entries(dependencies).every(isInstalled)) {
    console.log('installing the Node binaries of tools/nodes (some 900 MB, once)');
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: nodesFolder, stdio: 'inherit' });
  }
  return Object.keys(dependencies).map((alias) => join(nodesFolder, 'node_modules', alias, 'bin/node'));
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Every certificate that the smoke test presents. Minted here, so that the test itself needs nothing but Node and certpin. */
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

async function run(node: string, suite: string, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const loaders = [join(nodesFolder, 'no-warnings.mjs'), ...(suite.endsWith('.ts') ? ['tsx'] : [])];
  const flags = [...loaders.flatMap((loader) => ['--import', loader]), '--test', '--test-reporter=tap'];
  const started = performance.now();
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  const child = spawn(node, [...flags, suite], { cwd: root, env, timeout: SUITE_TIMEOUT_MS });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  // The last ones: what a test prints stands before them, and may look like them.
  const count = (what: string): number =>
    Number([...output.matchAll(new RegExp(`^# ${what} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);
  const passed = count('pass');
  const counted = count('fail') + count('cancelled');
  // A run that ended badly, or in which nothing ran, has failed, whatever it counted.
  const failed = counted === 0 && (code !== 0 || passed === 0) ? 1 : counted;
  const end = child.killed ? `ended after ${SUITE_TIMEOUT_MS / 1000} s: it hangs` : `exit code ${code}`;
  if (failed > 0) console.log(`\n${version} ${suite} (${end})\n${output}`);
  return { node: version, suite: basename(suite), passed, failed, seconds: (performance.now() - started) / 1000 };
}

function report(outcomes: readonly Outcome[]): void {
  console.log(
    `\n${'Node'.padEnd(12)}${'suite'.padEnd(26)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'seconds'.padStart(10)}`,
  );
  for (const { node, suite, passed, failed, seconds } of outcomes) {
    const numbers = `${String(passed).padStart(8)}${String(failed).padStart(8)}${seconds.toFixed(1).padStart(10)}`;
    console.log(`${node.padEnd(12)}${suite.padEnd(26)}${numbers}`);
  }
  const sum = (key: 'passed' | 'failed'): number => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
  if (sum('failed') > 0) process.exitCode = 1;
}

await main(process.argv.slice(2)).catch((error: Error) => {
  console.error(`test:nodes: ${error.message}`);
  process.exitCode = 1;
});
