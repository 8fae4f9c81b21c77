import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upgradeProtocols } from '../../src/protocols/registry.ts';

const entries = Object.entries(upgradeProtocols);

test('every protocol has the name of its entry', () => {
  for (const [name, { create }] of entries) assert.equal(create('db.example.com').name, name);
});

test('no scheme is in the table twice, and no port belongs to two protocols', () => {
  const sides = entries.flatMap(([, { upgrade, direct }]) => (direct === undefined ? [upgrade] : [upgrade, direct]));
  const schemes = sides.flatMap((side) => side.schemes);
  // A port of both sides of one protocol is the upgrade's.
  const ports = entries.flatMap(([, { upgrade, direct }]) => [
    ...new Set([...upgrade.ports, ...(direct?.ports ?? [])]),
  ]);
  assert.equal(new Set(schemes).size, schemes.length);
  assert.equal(new Set(ports).size, ports.length);
  for (const scheme of schemes) assert.match(scheme, /^[a-z][a-z\d+.-]*$/);
});
