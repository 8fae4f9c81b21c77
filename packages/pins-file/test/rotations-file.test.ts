import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  findRotation,
  finish,
  isUnderWay,
  lockRotation,
  nextStepOf,
  type Rotation,
  readRotations,
} from '../src/index.ts';

function setUp(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-rotations-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const pinsFile = join(folder, 'certpin.json');
  writeFileSync(pinsFile, '{ "version": 1, "targets": [] }');
  return pinsFile;
}

const file = { pins: ['AA'.repeat(32)], issuerPins: [], revoked: [] };

function rotationOf(key: string, id?: string): Rotation {
  const now = new Date('2027-03-01T09:00:00.000Z');
  const started: Rotation = {
    ...{
      target: key.replace(' ', ':'),
      key,
      id,
      protocol: 'postgres',
      startedAt: now.toISOString(),
      settleSeconds: 60,
    },
    next: { pin: 'BB'.repeat(32), source: 'certificate', file: 'next.crt' },
    ...{ wasPinned: false, old: file.pins, leaked: false, file, done: [] },
  };
  return finish(started, { step: 'prepared', evidence: 'shown', because: 'it was read' }, file, now);
}

test('rotations of several targets at a time: none loses what another has written', async (t) => {
  const pinsFile = setUp(t);
  const keys = ['a 1', 'b 2', 'c 3'];
  await Promise.all(
    keys.map(async (key) => {
      const lock = await lockRotation(pinsFile, key);
      for (let time = 0; time < 5; time++) await lock.save({ ...rotationOf(key), settleSeconds: time });
      lock.release();
    }),
  );
  const found = readRotations(pinsFile);
  assert.deepEqual(
    found.map(({ key, settleSeconds }) => [key, settleSeconds]).sort(),
    keys.map((key) => [key, 4]),
  );
  assert.deepEqual(readdirSync(join(pinsFile, '..')).sort(), ['certpin.json', 'certpin.rotations.json']);
});

test('one target: a second hand is refused, also under another name of the file', async (t) => {
  const pinsFile = setUp(t);
  const link = join(pinsFile, '..', 'other.json');
  symlinkSync(pinsFile, link);
  const lock = await lockRotation(pinsFile, 'a 1');
  for (const path of [pinsFile, link]) {
    await assert.rejects(lockRotation(path, 'a 1'), /another certpin is leading this rotation; if none is, remove /);
  }
  await lock.save(rotationOf('a 1'));
  assert.equal(readRotations(link).length, 1, 'a link leads to the same rotations');
  lock.release();
  (await lockRotation(link, 'a 1')).release();
});

test('a lock that a person has taken away saves nothing more', async (t) => {
  const pinsFile = setUp(t);
  const lock = await lockRotation(pinsFile, 'a 1');
  t.after(lock.release);
  for (const name of readdirSync(join(pinsFile, '..'))) if (name.includes('.lock-')) rmSync(join(pinsFile, '..', name));
  await assert.rejects(lock.save(rotationOf('a 1')), /somebody removed its lock, so nothing more was done/);
  assert.deepEqual(readRotations(pinsFile), []);
});

test('a rotation is found by its key, and by its id where the address has changed', () => {
  const rotations = [rotationOf('a 1', 'customer-db'), rotationOf('b 2')];
  const keyOf = (key: string, id?: string) => findRotation(rotations, { key, id })?.key;
  assert.equal(keyOf('b 2'), 'b 2');
  assert.equal(keyOf('c 3', 'customer-db'), 'a 1');
  assert.equal(keyOf('c 3', 'other'), undefined);
  const [first] = rotations;
  assert.ok(first !== undefined && isUnderWay(first));
  assert.equal(nextStepOf(first), 'added');
});
