// The rule that no set is written which would lock somebody out, where the question itself is unusual.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Place } from '@certpin/pins-file';
import { certificateHex, mint } from '@certpin/testkit';
import { codes, NEXT, said, startStage } from './stage.ts';

const place: Place = { kind: 'file', path: 'a.env', format: 'env', key: 'DB_PINS' };

test('a target that is a file: no server proves its pins, and that has to be said by name', async (t) => {
  const stage = await startStage(t, [place]);
  writeFileSync(join(stage.folder, 'server.pem'), stage.certificate.certPem);
  for (const id of ['from-file', undefined]) {
    const name = id ?? 'server.pem';
    const target = { id, target: 'server.pem', pins: [stage.current], deliver: [place] };
    writeFileSync(stage.file, JSON.stringify({ version: 2, targets: [target] }));
    for (const unreached of [[], ['other'], ['127.0.0.1']]) {
      const refused = await stage.push({ unreached });
      assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_UNION']]);
      assert.equal(
        said(refused),
        `server.pem: it is a file, and no server proves its pins: to go on anyway: --unreached ${name}`,
      );
      assert.equal(existsSync(join(stage.folder, 'a.env')), false);
    }
    assert.equal((await stage.push({ unreached: [name], dryRun: true })).outcome, 'done');
  }
  assert.equal((await stage.push({ unreached: ['server.pem'] })).outcome, 'done');
  assert.equal(stage.read('a.env'), `DB_PINS=${stage.current}\n`);
});

for (const [what, validity] of [
  ['expired', { validFromDays: -9, validToDays: -2 }],
  ['not valid yet', { validFromDays: 3, validToDays: 9 }],
] as const) {
  test(`a server whose certificate is ${what}: its pin is written, and a set without it is not`, async (t) => {
    const certificate = await mint({ names: ['other.example'], ...validity });
    const stage = await startStage(t, [place], { addresses: [certificate] });
    stage.write({ pins: [NEXT] });
    const refused = await stage.push();
    assert.deepEqual([refused.outcome, codes(refused)], ['refused', ['ERR_UNION']]);
    assert.match(said(refused), /the certificate that it presents at 127\.0\.0\.1 matches none of the pins/);
    assert.equal(existsSync(join(stage.folder, 'a.env')), false);

    stage.write({ pins: [NEXT, certificateHex(certificate)] });
    const done = await stage.push();
    assert.deepEqual([done.outcome, said(done)], ['done', '']);
    assert.equal(stage.read('a.env'), `DB_PINS=${NEXT},${certificateHex(certificate)}\n`);
  });
}

test('of two addresses, the expired certificate of one still has to be matched', async (t) => {
  const [good, expired] = [await mint(), await mint({ validFromDays: -9, validToDays: -2 })];
  const stage = await startStage(t, [place], { addresses: [good, expired] });
  stage.write({ pins: [certificateHex(good)] });
  assert.match(said(await stage.push()), /at 127\.0\.0\.2 matches none of the pins/);
  stage.write({ pins: [certificateHex(good), certificateHex(expired)] });
  assert.equal((await stage.push()).outcome, 'done');
});
