import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPinsText } from '@certpin/pins-file';
import { toWatched } from '../../src/cycle/definition.ts';

test('a file and a unix socket are of this machine: another one would ask another file, and another socket', () => {
  const places = {
    'db.example.com:5432': false,
    'https://127.0.0.1': false,
    'server.pem': true,
    './certs/server.crt': true,
    'unix:/run/app.sock': true,
  };
  const targets = Object.keys(places).map((target) => ({ target, pins: ['AA'.repeat(32)] }));
  const file = openPinsText(JSON.stringify({ version: 1, targets }), '/etc/certpin/certpin.json');
  const defaults = { intervalMs: undefined, expiresWithin: undefined };
  const watched = [...file.entries()].map(({ entry, text }) => toWatched(entry, text, file, defaults));
  assert.deepEqual(Object.fromEntries(watched.map(({ isHere }, index) => [targets[index]?.target, isHere])), places);
});
