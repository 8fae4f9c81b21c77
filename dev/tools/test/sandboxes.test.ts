// The accident this prevents: certpin works in a program, but its user's tests fail. A test runner runs them in a sandbox with its own
// global object, constructors and clock.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { mint, startHttpsServer } from '../../testkit/src/index.ts';
import { type Mariadb, startMariadb } from '../../testkit/src/mariadb.ts';
import { type Postgres, startPostgres } from '../../testkit/src/postgres.ts';

const folder = fileURLToPath(new URL('../sandboxes', import.meta.url));
const run = promisify(execFile);

describe('in the sandbox of a test runner, every client works and refuses as outside', () => {
  let stage: object;
  const ends: (() => Promise<unknown>)[] = [];
  after(() => Promise.all(ends.map((end) => end())));

  before(async () => {
    if (!existsSync(join(folder, 'node_modules/jest/package.json'))) {
      // `overrides` there: newer Vite names an optional package that "npm ci" does not find.
      const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
      execFileSync('npm', ['ci', ...flags], { cwd: folder, stdio: 'inherit' });
    }
    // As installed: a runner treats a linked package as a part of the project.
    const installed = join(folder, 'node_modules/certpin');
    rmSync(installed, { recursive: true, force: true });
    for (const name of ['dist', 'package.json'])
      cpSync(join(folder, '../../../packages/certpin', name), join(installed, name), { recursive: true });
    const certificate = await mint({ names: ['localhost', '127.0.0.1'] });
    const server = await startHttpsServer({ certificate });
    ends.push(server.close);
    const postgres = await startPostgres({ certificate });
    ends.push(postgres.stop);
    const mariadb = await startMariadb({ certificate });
    ends.push(mariadb.stop);
    stage = {
      url: `https://localhost:${server.port}/hello`,
      certificate: certificate.certPem,
      postgresql: accountOf(postgres),
      mariadb: accountOf(mariadb),
    };
  });

  const vitest = 'vitest/vitest.mjs run clients.test.mjs';
  const runs: Record<string, string> = {
    Jest: 'jest/bin/jest.js',
    Vitest: `${vitest} --pool=forks`,
    'Vitest, in threads': `${vitest} --pool=threads`,
    'Vitest, with a global object of its own': `${vitest} --pool=vmThreads`,
  };
  for (const [name, command] of Object.entries(runs)) {
    it(name, async () => {
      const [program = '', ...args] = command.split(' ');
      // There Vitest cannot load a dependency of axios.
      const without = command.endsWith('vmThreads') ? ['axios'] : [];
      const env = {
        ...process.env,
        STAGE: JSON.stringify({ ...stage, without }),
        NODE_OPTIONS: '',
        NODE_TEST_CONTEXT: '',
        NO_COLOR: '1',
      };
      const options = { cwd: folder, env, timeout: 120_000 };
      await run(process.execPath, [join(folder, 'node_modules', program), ...args], options).catch((error) =>
        assert.fail(`${error.stdout}\n${error.stderr}`),
      );
    });
  }
});

function accountOf({ host, port, user, password, database }: Postgres | Mariadb): object {
  return { host, port, user, password, database };
}
