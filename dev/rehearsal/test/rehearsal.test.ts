import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { longOnly } from '@certpin/testkit';
import type { LoginRecord } from '@certpin/testkit/tenant';
import { svgOf } from '../src/chart.ts';
import { pageOf } from '../src/page.ts';
import type { Played, Rehearsal } from '../src/play.ts';
import { whole } from '../src/scale.ts';
import { Tally } from '../src/tally.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

async function rehearse(...argv: readonly string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', main, ...argv], {
      maxBuffer: 16 * 1024 * 1024,
    });
    return { stdout, stderr, code: 0 };
  } catch (error) {
    return error as { stdout: string; stderr: string; code: number };
  }
}

describe('the short rehearsal', () => {
  it(
    'no login fails through a rotation but in containers that outlive the wait; what the recipe costs is counted',
    longOnly,
    async () => {
      const { stdout, stderr, code } = await rehearse('--quick', '--json', 'rotation', 'recipe');
      assert.equal(code, 0, `${stderr}\n${stdout}`);
      const { played } = JSON.parse(stdout) as Rehearsal;
      const { rotation, recipe } = played;
      assert.ok(rotation && recipe);
      for (const [act, { rows }] of Object.entries(played)) {
        assert.deepEqual(
          rows.map(({ database }) => database),
          ['PostgreSQL', 'MariaDB'],
          act,
        );
      }
      const all = (act: Played, key: 'logins' | 'failures' | 'outlived') => act.rows.map((row) => row[key]);
      assert.deepEqual(all(rotation, 'failures'), [0, 0]);
      assert.ok(all(rotation, 'logins').every((logins) => logins >= 200));
      assert.ok(all(rotation, 'outlived').every((count) => count > 0));
      assert.ok(all(recipe, 'failures').every((count) => count > 0));
      assert.deepEqual(
        rotation.marks.map(({ text }) => text),
        ['prepared', 'added', 'delivered', 'settled', 'swapped', 'verified', 'retired'],
      );
    },
  );

  it('what it does not know it refuses, before it begins', longOnly, async () => {
    for (const [argv, message] of [
      [['leeked'], 'error: no such name: leeked'],
      [['--write', '--quick'], 'error: --write needs a whole run'],
    ] as const) {
      const { stderr, code } = await rehearse(...argv);
      assert.equal(code, 2);
      assert.ok(stderr.includes(message), stderr);
    }
    const { stdout, code } = await rehearse('--help');
    assert.equal(code, 0);
    assert.match(
      stdout.replace(/\s+/g, ' '),
      /rotation, recipe, wrong-key, kept-file, forgotten-address, half-way, abort, leaked/,
    );
  });
});

describe('the count', () => {
  const login = (startedAt: number, over: Partial<LoginRecord> = {}): LoginRecord => ({
    ...{ connection: 'users', email: 'ada@example.com', generation: 1, latest: 1, outlier: false },
    ...{ startedAt, durationMs: 100, result: { profile: {} } },
    ...over,
  });
  const failed = { result: { error: 'unauthorized', error_description: 'no' } };

  it('takes the time from the begin of the first failed login to the end of the last one', () => {
    const tally = new Tally();
    for (const record of [login(0), login(1000, failed), login(2000), login(4000, failed), login(9000)])
      tally.add(record);
    assert.deepEqual(tally.count, { logins: 5, failures: 2, outageSeconds: 3.1, outlived: 0 });
    assert.equal(tally.lastFailureAt, 4100);
  });

  it('counts apart what failed in a container that outlives the wait, and only with an old configuration', () => {
    const tally = new Tally();
    tally.add(login(0, { ...failed, outlier: true, generation: 1, latest: 2 }));
    tally.add(login(0, { ...failed, outlier: true, generation: 2, latest: 2 }));
    tally.add(login(0, { ...failed, outlier: false, generation: 1, latest: 2 }));
    assert.deepEqual(tally.count, { logins: 3, failures: 2, outageSeconds: 0.1, outlived: 1 });
  });
});

describe('the page', () => {
  const count = { logins: 50_000, failures: 0, outageSeconds: 0, outlived: 12 };
  const row = { ...count, act: 'certpin rotate', database: 'PostgreSQL', end: 'retired' };
  const seconds = [
    { logins: 10, failures: 0, outlived: 0 },
    { logins: 8, failures: 2, outlived: 1 },
  ];
  const rotation: Played = { rows: [row], faults: [], seconds, marks: [{ second: 1, text: 'swapped' }] };

  it('has a line for each row, and a word on each drill', () => {
    const sessions = { PostgreSQL: 4000 };
    const page = pageOf({ ok: true, seconds: 600, sessions, played: { rotation }, scale: whole });
    assert.match(page, /\| certpin rotate \| PostgreSQL \| 50,000 \| 0 \| 0 s \| 12 \| retired \|/);
    assert.match(page, /PostgreSQL let in 4,000 connections/);
    assert.match(page, /- \*\*a leaked key\*\*: /);
  });

  it('has a chart with a bar for what failed', () => {
    const svg = svgOf([{ title: 'T', played: rotation }]);
    assert.equal(svg.match(/<rect [^>]+fill="#dc2626"\/>/g)?.length, 2, 'one in the legend');
    assert.match(svg, /swapped<\/text>/);
  });
});
