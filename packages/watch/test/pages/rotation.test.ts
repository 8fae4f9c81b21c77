// The accident this prevents: a rotation stands still for weeks, because the page does not say that somebody has to go on.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeRotation } from './rotation-stage.ts';

const HOUR = 3_600_000;

test('each step of a rotation, what is due, and the command that takes the next one', {
  timeout: 180_000,
}, async (t) => {
  const { json, html, run, read, pass, standAt, pins, file, server, nextCertificate } = await makeRotation(t);
  const { rotation } = await json();
  const { done, startedAt } = read();
  assert.deepEqual(rotation, {
    ...{ step: 'prepared', next: 'added', dueAt: null, leaked: false, startedAt, nextPin: pins[1], oldPins: [pins[0]] },
    ...{ steps: done, presenting: 1, warnings: [], command: `certpin rotate next db --file '${file}'` },
  });
  const first = await html();
  assert.match(
    first,
    /Rotation under way[\s\S]*prepared<\/strong> <span class="quiet">shown, [\s\S]*added<\/strong> <span class="quiet">open/,
  );
  assert.match(first, /Next: <strong>added<\/strong>\. The next pin goes into the pins file\. It is due now\./);
  assert.doesNotMatch(first, /What to do/, 'what is said of a mixed target without a rotation would get in its way');

  // What the page prints is what a person pastes.
  const goOn = async (more = ''): Promise<void> => {
    const { command } = (await json()).rotation;
    assert.ok((await html()).includes(command.replaceAll("'", '&#39;')));
    await run(`${command} --yes${more}`);
  };
  await goOn();
  assert.equal((await json()).rotation.next, 'delivered');
  await goOn(' --by-hand');
  const waiting = (await json()).rotation;
  const lastAt = (): number => Date.parse(read().done.at(-1).at);
  const dueAt = lastAt() + 3 * HOUR;
  assert.deepEqual(
    [waiting.step, waiting.next, waiting.dueAt],
    ['delivered', 'settled', new Date(dueAt).toISOString()],
  );
  standAt(lastAt());
  assert.match(await html(), /Next: <strong>settled<\/strong>\. [^.]+\. It is due in 3 hours, at <time/);
  pass(4 * HOUR);
  assert.match(await html(), /The wait was over 60 minutes ago/);
  await goOn();
  await goOn();
  assert.match(
    await html(),
    /Next: <strong>verified<\/strong>\. [^.]+\. At the last check, 1 of 2 did\. It is due now\./,
  );
  server.present(nextCertificate);
  await goOn();
  await goOn(' --by-hand');
  assert.equal((await json()).rotation, null, 'it has ended');
  assert.doesNotMatch(await html(), /Rotation under way/);
});

test('what is wrong with a rotation: killed, taken back, ended too early, not to be read', {
  timeout: 60_000,
}, async (t) => {
  const { json, html, rotations, read, pins } = await makeRotation(t);
  const rotation = read();
  const change = (changed: object): void =>
    writeFileSync(rotations, JSON.stringify({ version: 1, rotations: [{ ...rotation, ...changed }] }));
  const at = rotation.startedAt;
  const begun = { at, file: { pins, issuerPins: [], revoked: [] } };
  change({ begun: { ...begun, step: 'added' } });
  assert.deepEqual((await json()).rotation.warnings, [
    'A command is at work on "added", or it was ended in the middle: then run it again.',
  ]);
  change({ begun: { ...begun, step: 'abort' } });
  const back = (await json()).rotation;
  assert.deepEqual([back.next, back.command.split(' ').slice(0, 4)], ['abort', ['certpin', 'rotate', 'abort', 'db']]);
  assert.match(await html(), /It is being taken back\. Finish that\./);
  change({ oldEnds: new Date(Date.now() + HOUR).toISOString() });
  assert.match(await html(), /The old certificate ends at [\d-]+ [\d:]+ UTC, before the wait is over/);
  change({ next: { ...rotation.next, validFrom: new Date(Date.now() + HOUR).toISOString() } });
  assert.match(await html(), /The next certificate is not valid before/);
  change({ next: { ...rotation.next, validTo: new Date(Date.now() - HOUR).toISOString() } });
  assert.match(await html(), /The next certificate has ended at/);
  change({ done: [{ ...rotation.done[0], because: '<script>alert(1)</script>\u202E' }] });
  assert.match(await html(), /&lt;script&gt;alert\(1\)&lt;\/script&gt;\uFFFD/);
  writeFileSync(rotations, '{');
  assert.match((await json()).rotation.error, /certpin\.rotations\.json: it is damaged/);
  const damaged = await html();
  for (const words of [/Nobody can say how far a rotation is\. /, /What to do/]) assert.match(damaged, words);
  rmSync(rotations);
  assert.equal((await json()).rotation, null);
});
