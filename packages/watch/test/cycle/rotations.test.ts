// The accident this prevents: a rotation that has ended, or a file that nobody can read, goes on to mute what happens to its target.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { finish, lockRotation, type Rotation, rotationsFileOf, stepsOf } from '@certpin/pins-file';
import { createRotationReader } from '../../src/cycle/rotations.ts';

const file = { pins: ['AA'.repeat(32)], issuerPins: [], revoked: [] };

function begun(key: string): Rotation {
  const now = new Date('2027-03-01T09:00:00.000Z');
  const started: Rotation = {
    ...{ target: 'db:5432', key, id: undefined, protocol: 'postgres', startedAt: now.toISOString(), settleSeconds: 60 },
    next: { pin: 'BB'.repeat(32), source: 'certificate', file: 'next.crt' },
    ...{ wasPinned: false, old: file.pins, leaked: false, file, done: [] },
  };
  return finish(started, { step: 'prepared', evidence: 'shown', because: 'it was read' }, file, now);
}

test('only a rotation that is under way mutes; a file that cannot be read mutes nothing, and is told', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-rotations-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const pinsFile = join(folder, 'certpin.json');
  writeFileSync(pinsFile, '{ "version": 1, "targets": [] }');
  const events: string[] = [];
  const rotating = createRotationReader(pinsFile, (event) => events.push(event));
  assert.deepEqual([...rotating()], []);

  const lock = await lockRotation(pinsFile, 'db 5432');
  const running = begun('db 5432');
  await lock.save(running);
  assert.deepEqual([...rotating()], ['db 5432']);
  let last = running;
  for (const step of stepsOf({ leaked: false }).slice(1)) {
    assert.deepEqual([...rotating()], ['db 5432'], `before ${step}`);
    last = finish(last, { step, evidence: 'shown', because: 'it was done' }, file, new Date());
    await lock.save(last);
  }
  assert.deepEqual([...rotating()], []);
  lock.release();
  writeFileSync(rotationsFileOf(pinsFile), '{');
  assert.deepEqual([[...rotating()], events], [[], ['rotations-unreadable']]);
});
