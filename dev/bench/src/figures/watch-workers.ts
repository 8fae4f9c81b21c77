import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { nodeOf } from '../../../../packages/auth0/test/nodes.ts';
import { type Figure, figure } from '../figure.ts';
import type { Stage } from '../stage.ts';

const certpin = fileURLToPath(new URL('../../../../packages/cli/bin/certpin.cjs', import.meta.url));
const meter = new URL('queue-meter.mjs', import.meta.url).href;

/** What a process took until now. */
interface Reading {
  readonly cpuSeconds: number;
  /** Between the question and the answer, of all queries of pg-boss. */
  readonly queueSeconds: number;
  readonly queries: number;
  readonly megabytes: number;
}

interface Machine {
  readonly shards: () => number;
  readonly read: () => Promise<Reading>;
  /** Resolves when the event stands in its log. */
  readonly event: (name: string) => Promise<void>;
  readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
}

/** A planner and a worker on one store, as two machines would be: how they share, what the queue costs, and what happens when one is killed. */
export async function measureWorkers(stage: Stage): Promise<readonly Figure[]> {
  const count = stage.quick ? 3_000 : 20_000;
  const { targets, certificatePin } = await stage.fleet(count);
  const server = await stage.postgres();
  const folder = mkdtempSync(join(tmpdir(), 'certpin-bench-'));
  const machines: Machine[] = [];
  const login = { host: server.host, port: server.port, user: server.user, password: server.password };
  const database = `watch_bench_${Date.now()}`;
  const admin = new pg.Client({ ...login, database: server.database });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${database}`);
  const client = new pg.Client({ ...login, database });
  await client.connect();
  const one = async (sql: string, ...values: unknown[]): Promise<Record<string, number>> =>
    (await client.query(sql, values)).rows[0];
  const writePins = (pin: string): void => {
    const entries = targets.slice(0, count).map((target) => ({ target, pins: [pin] }));
    writeFileSync(
      join(folder, 'certpin.json'),
      JSON.stringify({ version: 2, expiresWithin: '0d', interval: '7d', targets: entries }),
    );
  };
  const start = (...flags: string[]): Machine => {
    const store = `postgres://${server.user}@127.0.0.1:${server.port}/${database}`;
    const machine = startMachine(folder, ['--store', store, ...flags], server.password);
    machines.push(machine);
    return machine;
  };
  /** Until no target is left that is not so. */
  const untilAll = async (where: string, ...values: unknown[]): Promise<void> => {
    const sql = `SELECT count(*)::int AS left FROM certpin.target WHERE NOT coalesce(${where}, false)`;
    for (let waited = 0; (await one(sql, ...values)).left !== 0; waited++) {
      assert.ok(waited < 3_600, 'a cycle does not come to its end');
      await delay(500);
    }
  };
  try {
    writePins(certificatePin);
    writeFileSync(
      join(folder, 'certpin.watch.json'),
      JSON.stringify({
        listen: { address: 'none' },
        receivers: [{ name: 'ops', kind: 'command', command: ['true'] }],
      }),
    );
    const planner = start();
    await planner.event('started');
    const worker = start('--worker');
    await worker.event('worker-started');
    await untilAll('checked_at IS NOT NULL');

    // Every target once more: now both are there from the beginning, and no row is new.
    const both = [planner, worker];
    const before = await Promise.all(both.map((machine) => machine.read()));
    const done = both.map((machine) => machine.shards());
    const at = Date.now();
    await client.query('UPDATE certpin.target SET next_check_at = $1', [at]);
    await untilAll('checked_at >= $1', at);
    const seconds = (Date.now() - at) / 1_000;
    const taken = (await Promise.all(both.map((machine) => machine.read()))).map((now, index) => ({
      cpuSeconds: now.cpuSeconds - (before[index]?.cpuSeconds ?? 0),
      queueSeconds: now.queueSeconds - (before[index]?.queueSeconds ?? 0),
      queries: now.queries - (before[index]?.queries ?? 0),
    }));
    const shares = both.map((machine, index) => machine.shards() - (done[index] ?? 0));
    assert.ok(
      shares.every((share) => share > 0) && taken.every(({ queries }) => queries > 0),
      'one of both did nothing',
    );

    // Another pin that none of the servers has: each target has something to tell. One machine is killed half-way.
    const from = Date.now();
    writePins('AA'.repeat(32));
    for (let waited = 0; ; waited++) {
      assert.ok(waited < 3_600, 'the new pins are not looked at');
      const { some } = await one("SELECT count(*)::int AS some FROM certpin.target WHERE state = 'drift'");
      if ((some ?? 0) >= count / 2) break;
      await delay(50);
    }
    await worker.kill('SIGKILL');
    const killed = Date.now();
    await untilAll("state = 'drift'");
    const recovery = (Date.now() - killed) / 1_000;
    const { told, keys } = await one(
      "SELECT count(*)::int AS told, count(DISTINCT key)::int AS keys FROM certpin.transition WHERE kind = 'changed' AND at >= $1",
      from,
    );
    const cpu = taken.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
    const queue = Math.max(...taken.map(({ queueSeconds }) => queueSeconds));
    const lots = `${count.toLocaleString('en')} targets`;
    const exact = (ratio: number) => ({ low: ratio, median: ratio, high: ratio });
    return [
      figure({
        name: 'watch',
        what: `two machines with one store, ${lots}: time that queries of pg-boss take, of the one with more`,
        peer: 'the time of the cycle',
        ratio: exact(queue / seconds),
        target: { atMost: 0.05 },
        details: { 'cycle, s': seconds, 'queries, s': queue, 'targets a second of a core': count / cpu },
      }),
      figure({
        name: 'watch',
        what: 'the same: shards of the one with fewer',
        peer: 'shards of the other',
        ratio: exact(Math.min(...shares) / Math.max(...shares)),
        target: { atLeast: 0.8 },
        details: { shards: shares.join(' and ') },
      }),
      figure({
        name: 'watch',
        what: 'one of them is killed half-way: targets that were told twice, or not at all',
        peer: lots,
        ratio: exact((Math.abs(count - (keys ?? 0)) + Math.abs((told ?? 0) - (keys ?? 0))) / count),
        target: { atMost: 0 },
        details: { 'until all were asked, s': recovery, told: told ?? 0 },
      }),
    ];
  } finally {
    await Promise.all(machines.map((machine) => machine.kill('SIGTERM')));
    await client.end();
    await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
    await admin.end();
    rmSync(folder, { recursive: true });
  }
}

function startMachine(folder: string, flags: readonly string[], password: string): Machine {
  const config = ['--config', join(folder, 'certpin.watch.json'), '--file', join(folder, 'certpin.json')];
  const child = spawn(nodeOf(22), ['--import', meter, certpin, 'watch', ...config, ...flags], {
    env: { ...process.env, PGPASSWORD: password },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stderr as Readable });
  const readings = createInterface({ input: child.stdio[3] as Readable });
  const seen = new Set<string>();
  let shards = 0;
  let last = '';
  lines.on('line', (line) => {
    last = line;
    if (!line.startsWith('{')) return;
    const { event } = JSON.parse(line) as { event: string };
    seen.add(event);
    if (event === 'shard-done') shards++;
  });
  const orEnd = <Value>(wanted: Promise<Value>): Promise<Value> =>
    Promise.race([
      wanted,
      ended.then(() => {
        throw new Error(`certpin watch has ended: ${last}`);
      }),
    ]);
  return {
    shards: () => shards,
    async read() {
      const said = once(readings, 'line');
      child.kill('SIGUSR2');
      const [line] = (await orEnd(said)) as [string];
      return JSON.parse(line) as Reading;
    },
    async event(name) {
      while (!seen.has(name)) await orEnd(once(lines, 'line'));
    },
    async kill(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await ended;
    },
  };
}
