// The accident: a laptop that is closed, a runner that is cancelled, a machine that goes down, in the middle of a step. Every twentieth change
// of a file; each change in the long form: CERTPIN_LONG=1 node --import tsx --test packages/cli/test/rotate/killed.test.ts
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stepsOf } from '@certpin/pins-file';
import { certificateHex, isLong, mint, startTlsServer } from '@certpin/testkit';
import { createStage, type Stage } from './stage.ts';

// The published program: what `npm run build` has made.
const bin = fileURLToPath(new URL('../../bin/certpin.cjs', import.meta.url));
const killAt = new URL('./kill-at.mjs', import.meta.url).href;

/** Runs a command in a process that dies behind so many changes of files. @returns null: it was killed; else its exit code */
async function runUntil(stage: Stage, command: readonly string[], changes: number): Promise<number | null> {
  const words = ['--import', killAt, bin, 'rotate', ...command, '--file', stage.pinsFile];
  const env = { ...process.env, CERTPIN_KILL_AT: String(changes) };
  const child = spawn(process.execPath, words, { stdio: 'ignore', env });
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

const EACH = isLong ? 1 : 20;

test(`kill -9 at every ${EACH}th change of rotate: the pins file is whole each time, and the next command goes on where it was`, async (t) => {
  const certificates = [await mint(), await mint()];
  const [first, second] = certificates;
  assert.ok(first && second);
  const server = await startTlsServer({ certificate: first });
  t.after(server.close);
  const place = { kind: 'file', path: 'production.env', format: 'env', key: 'DB_PINS' };
  const keys = { deliver: [place] };
  const stage = createStage(t, { target: `tls://127.0.0.1:${server.port}`, pins: [first], keys });
  const envFile = join(stage.folder, 'production.env');
  writeFileSync(envFile, `A=1\nDB_PINS=${certificateHex(first)}\n`);
  const files = certificates.map((minted, index) => stage.write(`next${index}`, minted));
  // Each step is killed at a later change each time, until it has no more of them: then it comes to its end.
  const names = [...stepsOf({ leaked: false }), 'abort'] as const;
  const points = new Map<string, number>(names.map((name, index) => [name, 1 + (index % EACH)]));
  const ended = new Set<string>();
  const kills: string[] = [];
  let presented = 0;
  // Round after round, each to the certificate that was the old one before.
  for (let round = 0; ended.size < names.length; round++) {
    assert.ok(round < 50, `only ${[...ended]} came to an end`);
    const next = 1 - presented;
    const start = ['start', 'db', '--next', files[next]?.crt ?? '', '--settle', '0s'];
    const goesBack = round % 2 === 1;
    for (let tries = 0; ; tries++) {
      assert.ok(tries < 200, 'it does not come to its end');
      const before = await stage.report('status').catch(() => undefined);
      const isOpen = before?.steps !== undefined && before.ended === null;
      if (before?.ended === 'retired' && before.nextPin === certificateHex(certificates[next] as never)) break;
      if (before?.ended === 'aborted' && goesBack) break;
      const step = isOpen ? (before.next ?? '') : 'prepared';
      if (step === 'verified' && !goesBack) {
        const { chainPem, keyPem } = certificates[next] as typeof first;
        server.server.setSecureContext({ cert: chainPem, key: keyPem });
        presented = next;
      }
      const isBack = isOpen && goesBack && (step === 'verified' || before.reason !== undefined || isAborting(stage));
      const command = !isOpen ? start : [isBack ? 'abort' : 'next', 'db', '--yes'];
      const name = isBack ? 'abort' : step;
      const point = points.get(name);
      assert.ok(point, name);
      const code = await runUntil(stage, command, point);
      if (code === null) {
        kills.push(`${name} ${point}`);
        points.set(name, point + EACH);
      } else {
        assert.equal(code, 0, `${command[0]} ${step}`);
        ended.add(name);
        points.set(name, Number.POSITIVE_INFINITY);
      }
      // Whole, and never without the pin of what is presented.
      const pins = stage.pins();
      assert.ok(pins.includes(certificateHex(certificates[presented] as never)), `${command[0]} ${step}: ${pins}`);
      const delivered = /^A=1\nDB_PINS=([0-9A-F]{64}(?:,[0-9A-F]{64})?)\n$/.exec(readFileSync(envFile, 'utf8'))?.[1];
      assert.ok(delivered?.includes(certificateHex(certificates[presented] as never)), `the place: ${delivered}`);
      if (existsSync(stage.stateFile)) JSON.parse(readFileSync(stage.stateFile, 'utf8'));
    }
    const pins = stage.pins();
    assert.deepEqual(pins, [certificateHex(certificates[presented] as never)]);
    assert.equal(readFileSync(envFile, 'utf8'), `A=1\nDB_PINS=${pins[0]}\n`);
  }
  t.diagnostic(`killed at ${kills.length}: ${kills.join(', ')}`);
  // A test in which nothing is killed any more, because the program writes by other ways, would pass too.
  assert.ok(kills.length >= (isLong ? 25 : names.length), `${kills.length} kills`);
  assert.deepEqual(new Set(kills.map((kill) => kill.split(' ')[0])), new Set(names));
});

function isAborting(stage: Stage): boolean {
  return existsSync(stage.stateFile) && readFileSync(stage.stateFile, 'utf8').includes('"step": "abort"');
}
