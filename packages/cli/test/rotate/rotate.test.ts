import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { certificateHex, type Minted, type MintOptions, mint, publicKeyPin, startTlsServer } from '@certpin/testkit';
import { certpin } from '../transcript.ts';
import { createStage, type Stage } from './stage.ts';

/** A TLS server that can present another certificate, and a stage about it. */
async function setUp(t: TestContext, keys: object = {}, options: MintOptions = {}) {
  const [old, next] = [await mint(options), await mint()];
  const server = await startTlsServer({ certificate: old });
  t.after(server.close);
  const stage = createStage(t, { target: `tls://127.0.0.1:${server.port}`, pins: [old], keys });
  const present = ({ chainPem, keyPem }: Minted): void => {
    server.server.setSecureContext({ cert: chainPem, key: keyPem });
  };
  return { old, next, server, stage, present, ...stage.write('next', next) };
}

/** Takes steps until one of them is done. */
async function leadTo(stage: Stage, step: string): Promise<void> {
  for (let tries = 0; tries < 8; tries++) {
    const last = (await stage.report('status')).step;
    if (last === step) return;
    if (last === 'delivered') stage.pass(86_400_000);
    const { code, reason } = await stage.report('next --yes --by-hand');
    assert.equal(code, 0, reason);
  }
  assert.fail(`${step} was not reached`);
}

test('start: a next certificate that cannot be used begins nothing, exit 1', async (t) => {
  const { stage, old, crt, next, present } = await setUp(t);
  const file = (name: string, minted: Minted) => stage.write(name, minted);
  const stranger = file('stranger', await mint());
  const expired = file('expired', await mint({ validFromDays: -9, validToDays: -2 }));
  const other = file('other', await mint({ names: ['other.example.com'] }));
  const wrong: Record<string, RegExp> = {
    [`${crt} --key ${stranger.key}`]:
      /stranger\.key: it is not the key of .*next\.crt: the server would not load the two/,
    [expired.crt]: /the next certificate has expired on \d{4}-\d\d-\d\d, \d days ago/,
    [other.crt]: /the next certificate does not name tls:\/\/127\.0\.0\.1:/,
  };
  for (const [options, reason] of Object.entries(wrong)) {
    const report = await stage.report(`start --next ${options}`);
    assert.deepEqual([report.code, report.ok], [1, false], options);
    assert.match(report.reason ?? '', reason);
    assert.equal(existsSync(stage.stateFile), false);
  }
  assert.equal((await stage.report(`start --next ${other.crt} --any-name`)).code, 0);
  assert.equal((await stage.report(`abort`)).ended, 'aborted');

  // The server presents it already, whoever did that.
  writeFileSync(
    stage.pinsFile,
    readFileSync(stage.pinsFile, 'utf8').replace(certificateHex(old), certificateHex(next)),
  );
  present(next);
  const report = await stage.report(`start --next ${crt}`);
  assert.deepEqual([report.code, report.hints?.[0]?.includes('--replace')], [1, true]);
  assert.match(report.reason ?? '', /there is nothing to rotate/);
});

test('start: what the policy of the target demands of a name cannot be waived', async (t) => {
  const { stage } = await setUp(t, { hostnameVerification: 'require' });
  const { crt } = stage.write('other', await mint({ names: ['other.example.com'] }));
  const report = await stage.report(`start --next ${crt} --any-name`);
  assert.deepEqual([report.code, report.hints], [1, []]);
});

test('start: a revoked pin, of the certificate or of its key, is never the next one', async (t) => {
  const { next } = await setUp(t);
  for (const pin of [certificateHex(next), await publicKeyPin(next)]) {
    const { stage } = await setUp(t, { revoked: [{ pin, since: '2026-01-01' }] });
    const { crt } = stage.write('revoked', next);
    const report = await stage.report(`start --next ${crt}`);
    assert.equal(report.code, 1);
    assert.match(report.reason ?? '', /its pin is revoked/);
  }
});

test('start: a server that presents what nobody pinned, or does not answer, is no beginning', async (t) => {
  const { stage, crt, present, server } = await setUp(t);
  present(await mint());
  const drift = await stage.report(`start --next ${crt}`);
  assert.deepEqual([drift.code, drift.hints?.[0]?.startsWith('certpin check --file ')], [1, true]);
  assert.match(drift.reason ?? '', /127\.0\.0\.1 is drift: /);
  await server.close();
  const gone = await stage.report(`start --next ${crt}`);
  assert.equal(gone.code, 2);
  assert.match(gone.reason ?? '', /every address has to answer$/);
  assert.equal(existsSync(stage.stateFile), false);
});

test('start: of a key or a signing request the pin of the key; the certificate is looked at when it is presented', async (t) => {
  const { stage, next, old, key, present } = await setUp(t);
  assert.equal((await stage.report(`start --next ${key}`)).nextPin, await publicKeyPin(next));
  await leadTo(stage, 'swapped');
  // A certificate of this key that has ended is not what was meant.
  present(await mint({ keys: next.keys, validFromDays: -9, validToDays: -2 }));
  const ended = await stage.report('next');
  assert.equal(ended.code, 1);
  assert.match(
    ended.details?.[0] ?? '',
    /it presents the next certificate, but the validity of the certificate ended /,
  );
  present(await mint({ keys: next.keys }));
  await leadTo(stage, 'retired');
  assert.deepEqual(stage.pins(), [await publicKeyPin(next)]);
  assert.notDeepEqual(stage.pins(), [certificateHex(old)]);
});

test('a backup pin that nobody presents stays; every pin of the old certificate leaves', async (t) => {
  const { stage, old, next, crt, present } = await setUp(t);
  const backup = 'CD'.repeat(32);
  const pins = [certificateHex(old), await publicKeyPin(old), backup];
  const text = readFileSync(stage.pinsFile, 'utf8');
  writeFileSync(stage.pinsFile, text.replace(`"${certificateHex(old)}"`, pins.map((pin) => `"${pin}"`).join(', ')));
  assert.equal((await stage.report(`start --next ${crt}`)).code, 0);
  await leadTo(stage, 'swapped');
  present(next);
  await leadTo(stage, 'retired');
  assert.deepEqual(stage.pins(), [backup, certificateHex(next)]);
});

test('a renewal with the same key: the pin of the key stays', async (t) => {
  const { stage, old, present } = await setUp(t);
  const renewed = await mint({ keys: old.keys });
  const { crt, key } = stage.write('renewed', renewed);
  const keyPin = await publicKeyPin(old);
  const text = readFileSync(stage.pinsFile, 'utf8');
  writeFileSync(stage.pinsFile, text.replace(`"${certificateHex(old)}"`, `"${certificateHex(old)}", "${keyPin}"`));
  assert.equal((await stage.report(`start --next ${crt} --key ${key}`)).code, 0);
  await leadTo(stage, 'swapped');
  present(renewed);
  await leadTo(stage, 'retired');
  assert.deepEqual(stage.pins(), [keyPin, certificateHex(renewed)]);
});

test('abort: at every step; once a server presents the next certificate, the old one has to come back first', async (t) => {
  const { stage, old, next, crt, present } = await setUp(t);
  const before = readFileSync(stage.pinsFile, 'utf8');
  for (const step of ['prepared', 'added', 'delivered', 'settled', 'swapped', 'verified']) {
    present(old);
    assert.equal((await stage.report(`start --next ${crt}`)).code, 0);
    if (step === 'verified') {
      await leadTo(stage, 'swapped');
      present(next);
    }
    await leadTo(stage, step);
    if (step !== 'prepared') {
      present(next);
      const refused = await stage.report('abort --yes');
      assert.deepEqual([refused.code, stage.pins().length], [1, 2], step);
      assert.match(refused.reason ?? '', /^bring the old certificate back first/);
    }
    present(old);
    const { code, ended } = await stage.report('abort --yes --by-hand');
    assert.deepEqual([code, ended], [0, 'aborted'], step);
    assert.equal(readFileSync(stage.pinsFile, 'utf8'), before, step);
    assert.equal((await stage.report('next --yes')).code, 1);
  }
});

test('settled: waited for, and never shown', async (t) => {
  const { stage, crt } = await setUp(t);
  await stage.report(`start --next ${crt} --settle 2h`);
  await leadTo(stage, 'delivered');
  const waiting = await stage.rotate('next');
  assert.equal(waiting.code, 1);
  assert.match(waiting.stderr, /it is not settled: 2 h to wait, until \d{4}-\d\d-\d\d \d\d:\d\d UTC\n/);
  stage.pass(5_400_000);
  assert.match((await stage.rotate('status')).stdout, /\n {2}settled {3}open {4}30 min to wait, until /);
  stage.pass(1_800_000);
  assert.equal((await stage.report('next')).step, 'settled');
  const { stdout } = await stage.rotate('status');
  assert.match(
    stdout,
    /\n {2}settled {3}waited {2}.* 2 h have passed; .*That every old container has ended is not known\n/,
  );
  assert.doesNotMatch(stdout, /settled +shown/);
});

test('the clock goes backwards: no wait is counted', async (t) => {
  const { stage, crt } = await setUp(t);
  await stage.report(`start --next ${crt}`);
  stage.pass(-3_600_000);
  const report = await stage.report('next --yes');
  assert.equal(report.code, 1);
  assert.match(report.reason ?? '', /^the clock goes backwards: it says .* UTC, and the last step was at .* UTC/);
});

test('the old certificate ends before the wait is over: said at the start, and at each status, with the time', async (t) => {
  const { stage, crt, old } = await setUp(t, {}, { validToDays: 1 });
  const end = `${new Date(old.x509.validTo).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const started = await stage.rotate(`start --next ${crt} --settle 48h`);
  for (const said of [started, await stage.rotate('status')]) {
    assert.equal(said.code, 0);
    assert.match(said.stderr, new RegExp(`warning: .*the old certificate ends at ${end}, before the wait is over at `));
  }
  assert.match((await stage.report('status')).warning ?? '', new RegExp(end));
});

test('the pins file was changed by hand meanwhile: refused, with what differs, until somebody says that it was meant', async (t) => {
  const { stage, crt, old, next } = await setUp(t);
  await stage.report(`start --next ${crt}`);
  await leadTo(stage, 'added');
  const backup = 'CD'.repeat(32);
  const text = readFileSync(stage.pinsFile, 'utf8');
  const edit = (pins: readonly string[]): void => {
    const list = `"pins": [${pins.map((pin) => `"${pin}"`).join(', ')}]`;
    writeFileSync(stage.pinsFile, text.replace(/"pins": \[[^\]]*\]/, list));
  };
  edit([certificateHex(old), certificateHex(next), backup]);
  for (const command of ['next --yes --by-hand', 'abort --yes']) {
    const report = await stage.report(command);
    assert.deepEqual([report.code, report.details], [1, [`${backup} was added to "pins"`]], command);
  }
  // The next pin is what the rotation stands on.
  edit([certificateHex(old)]);
  const gone = await stage.report('next --yes --by-hand --accept-change');
  assert.deepEqual([gone.code, gone.details], [1, [`${certificateHex(next)} is gone from "pins"`]]);
  edit([certificateHex(old), certificateHex(next), backup]);
  assert.equal((await stage.report('next --yes --by-hand --accept-change')).step, 'delivered');
  assert.equal((await stage.report('abort --yes --by-hand')).ended, 'aborted');
  assert.deepEqual(stage.pins(), [certificateHex(old), backup]);

  writeFileSync(stage.pinsFile, text.replace('"id": "db"', '"id": "db2"').replaceAll('127.0.0.1', '127.0.0.9'));
  assert.equal((await stage.rotate('next')).code, 2);
});

test('two at once: the second is refused, and nothing is done twice', async (t) => {
  const { stage, crt } = await setUp(t);
  await stage.report(`start --next ${crt}`);
  let second = { code: 0, stderr: '' };
  const first = await stage.rotate('next', {
    confirmed: async () => {
      second = await stage.rotate('next --yes');
      return true;
    },
  });
  assert.deepEqual([first.code, second.code], [0, 2]);
  assert.match(second.stderr, /another certpin is leading this rotation; if none is, remove certpin\.rotations\.json-/);
  assert.deepEqual((await stage.report('status')).steps?.length, 2);
});

test('a no, and nobody to ask: nothing is written', async (t) => {
  const { stage, crt } = await setUp(t);
  await stage.report(`start --next ${crt}`);
  const before = [readFileSync(stage.pinsFile, 'utf8'), readFileSync(stage.stateFile, 'utf8')];
  assert.equal((await stage.rotate('next', { confirmed: false })).code, 1);
  assert.equal((await stage.rotate('next')).code, 2);
  assert.equal((await stage.report('next')).code, 2);
  assert.deepEqual([readFileSync(stage.pinsFile, 'utf8'), readFileSync(stage.stateFile, 'utf8')], before);
});

test('while one is under way, no other is begun; status knows all of them', async (t) => {
  const { stage, crt } = await setUp(t);
  assert.equal((await stage.rotate('status')).code, 1);
  await stage.report(`start --next ${crt}`);
  assert.match((await stage.report(`start --next ${crt}`)).reason ?? '', /^a rotation is under way$/);
  const { stdout, code } = await certpin(['rotate', 'status', '--file', stage.pinsFile, '--json']);
  assert.deepEqual([code, JSON.parse(stdout).step], [0, 'prepared']);
});

test('a file of rotations that is damaged, or of a later version, is refused, and not overwritten', async (t) => {
  const { stage, crt } = await setUp(t);
  await stage.report(`start --next ${crt}`);
  const text = readFileSync(stage.stateFile, 'utf8');
  const damaged = {
    [text.slice(0, 90)]: /it is damaged: it is not JSON/,
    [text.replace('"version": 1', '"version": 2')]: /version 2 of the format needs a newer certpin/,
    [text.replace('"step": "prepared"', '"step": "verified"')]: /its steps are not in their order/,
    [text.replace('"leaked": false', '"leaked": "no"')]: /a yes or no is missing/,
    [text.replace('"old": [', '"old": ["AA",')]: /a pin cannot be read/,
    [text.replace('"leaked"', '"leeked"')]: /"leaked" is missing/,
    [text.replace('"at": "2', '"at": "x2')]: /a time cannot be read/,
  };
  for (const [content, words] of Object.entries(damaged)) {
    assert.notEqual(content, text);
    writeFileSync(stage.stateFile, content);
    for (const command of ['status', 'next --yes', 'abort --yes', `start --next ${crt}`]) {
      const { code, stderr } = await stage.rotate(command);
      assert.equal(code, 2, command);
      assert.match(stderr, words);
    }
    assert.equal(readFileSync(stage.stateFile, 'utf8'), content);
  }
});

test('a leaked key: the old pin goes first and for ever; what that costs is said before the question', async (t) => {
  const { stage, crt, old, next, present } = await setUp(t);
  const leaked = certificateHex(old);
  const cost = /warning: .*every login fails at a server that still presents the old certificate/;
  const said = await stage.rotate(`start --next ${crt} --leaked ${leaked}`, { confirmed: false });
  assert.equal(said.code, 1);
  assert.match(said.stderr, cost);
  assert.ok(said.stderr.search(cost) < said.stderr.indexOf('[y/N]'));
  assert.equal(existsSync(stage.stateFile), false);
  assert.equal((await stage.rotate(`start --next ${crt} --leaked ${leaked}`)).code, 2);

  assert.equal((await stage.report(`start --next ${crt} --leaked ${leaked} --yes`)).code, 0);
  assert.equal((await stage.report('next --yes')).step, 'added');
  assert.deepEqual([stage.pins(), stage.revoked()], [[certificateHex(next)], [leaked]]);
  const back = await stage.report('abort --yes');
  assert.deepEqual([back.code, back.reason?.includes('revoked')], [1, true]);
  assert.equal((await stage.report('next --yes --by-hand')).step, 'delivered');
  assert.equal((await stage.report('next')).step, 'swapped', 'nothing is waited for');
  assert.equal((await stage.report('next')).code, 1);
  present(next);
  assert.equal((await stage.report('next')).step, 'verified');
  assert.equal((await stage.report('next --yes --by-hand')).ended, 'retired');
  assert.deepEqual([stage.pins(), stage.revoked()], [[certificateHex(next)], [leaked]]);
});

test('a leaked key: a new certificate of the same key is no way out, and neither is another pin of it', async (t) => {
  const { stage, crt, old } = await setUp(t);
  const renewed = stage.write('renewed', await mint({ keys: old.keys }));
  for (const pin of [certificateHex(old), await publicKeyPin(old)]) {
    const text = readFileSync(stage.pinsFile, 'utf8');
    writeFileSync(stage.pinsFile, text.replace(/"pins": \[[^\]]*\]/, `"pins": ["${pin}"]`));
    const report = await stage.report(`start --next ${renewed.crt} --leaked ${pin} --yes`);
    assert.equal(report.code, 1);
    assert.match(report.reason ?? '', /has the key that has leaked/);
  }
  const both = [certificateHex(old), await publicKeyPin(old)];
  const text = readFileSync(stage.pinsFile, 'utf8');
  writeFileSync(stage.pinsFile, text.replace(/"pins": \[[^\]]*\]/, `"pins": ["${both.join('", "')}"]`));
  assert.equal((await stage.report(`start --next ${crt} --leaked ${'AB'.repeat(32)} --yes`)).code, 1);
  // Under the other pin, the thief would still pass.
  assert.equal((await stage.report(`start --next ${crt} --leaked ${both[0]} --yes`)).code, 0);
  assert.equal((await stage.report('next --yes')).step, 'added');
  assert.equal(stage.pins().length, 1);
  assert.deepEqual(stage.revoked().sort(), both.sort());
});

/** A certificate of the same key, which holds the point of the curve in compressed form. OpenSSL writes the key again as it has read it. */
function mintCompressed(stage: Stage, { keyPem }: Minted): { readonly crt: string; readonly key: string } {
  const [given, key, crt] = ['given.key', 'compressed.key', 'compressed.crt'].map((name) => join(stage.folder, name));
  assert.ok(given !== undefined && key !== undefined && crt !== undefined);
  writeFileSync(given, keyPem);
  execFileSync('openssl', ['ec', '-in', given, '-conv_form', 'compressed', '-out', key], { stdio: 'pipe' });
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', '-key', key, '-days', '90', ...names, '-out', crt], { stdio: 'pipe' });
  return { crt, key: given };
}

test('a leaked key is the leaked key in other bytes, too; and a key belongs to its certificate in whatever bytes', async (t) => {
  const { stage, old } = await setUp(t);
  const again = mintCompressed(stage, old);
  const { publicKey } = new X509Certificate(readFileSync(again.crt));
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const spki = createHash('sha256').update(der).digest('base64');
  assert.notEqual(`sha256/${spki}`, await publicKeyPin(old), 'the bytes are others');
  for (const pin of [certificateHex(old), await publicKeyPin(old)]) {
    const text = readFileSync(stage.pinsFile, 'utf8');
    writeFileSync(stage.pinsFile, text.replace(/"pins": \[[^\]]*\]/, `"pins": ["${pin}"]`));
    const report = await stage.report(`start --next ${again.crt} --leaked ${pin} --yes`);
    assert.deepEqual([report.code, existsSync(stage.stateFile)], [1, false]);
    assert.match(report.reason ?? '', /has the key that has leaked/);
  }
  const other = mintCompressed(stage, await mint());
  const started = await stage.report(`start --next ${other.crt} --key ${other.key}`);
  assert.equal(started.code, 0, started.reason);
});

test('a key that leaks while a rotation is under way turns it round', async (t) => {
  const { stage, crt, old, next } = await setUp(t);
  await stage.report(`start --next ${crt}`);
  await leadTo(stage, 'delivered');
  assert.equal((await stage.report(`start --next ${crt} --leaked ${certificateHex(old)} --yes`)).code, 0);
  assert.equal((await stage.report('next --yes')).step, 'added');
  assert.deepEqual([stage.pins(), stage.revoked()], [[certificateHex(next)], [certificateHex(old)]]);
});

test('a certificate that is not valid yet is not swapped in', async (t) => {
  const { stage } = await setUp(t);
  const { crt } = stage.write('later', await mint({ validFromDays: 3, validToDays: 90 }));
  assert.equal((await stage.report(`start --next ${crt}`)).code, 0);
  await leadTo(stage, 'settled');
  const report = await stage.report('next');
  assert.equal(report.code, 1);
  assert.match(report.reason ?? '', /^the next certificate is not valid before /);
});

test('a step that is called by another name: the help of the group is named', async () => {
  const { code, stderr } = await certpin(['rotate', 'begin', 'db']);
  assert.deepEqual(
    [code, stderr],
    [2, "certpin: error: unknown command 'begin'\ncertpin: hint: certpin help rotate\n"],
  );
});

test('a rotation is of a server, and of one', async (t) => {
  const { stage, crt } = await setUp(t);
  const ask = (target: string) => certpin(['rotate', 'start', target, '--next', crt, '--file', stage.pinsFile]);
  assert.match((await ask('nobody:1')).stderr, /nobody:1 is not in /);
  const missing = await certpin(['rotate', 'next', 'db', '--file', join(stage.folder, 'none.json')]);
  assert.deepEqual([missing.code, missing.stdout], [2, '']);
});

test('a target without places: delivered, retired and abort are refused, with the pins to bring, until somebody says that they are there', async (t) => {
  const { stage, crt, old, next, present } = await setUp(t);
  const [oldPin, nextPin] = [certificateHex(old), certificateHex(next)];
  const hint = (command: string) => `certpin rotate ${command} db --file ${stage.pinsFile} --yes --by-hand`;
  const isRefused = async (command: 'next' | 'abort', pins: readonly string[]): Promise<void> => {
    const files = () => [readFileSync(stage.pinsFile, 'utf8'), readFileSync(stage.stateFile, 'utf8')];
    const before = files();
    const report = await stage.report(`${command} --yes`);
    assert.equal(report.code, 1);
    assert.match(
      report.reason ?? '',
      /lists no place \("deliver"\) for this target: certpin cannot show where its pins arrive$/,
    );
    assert.deepEqual([report.details, report.hints?.at(-1)], [[pins.join(',')], hint(command)]);
    assert.deepEqual(files(), before);
  };
  await stage.report(`start --next ${crt} --settle 0s`);
  await leadTo(stage, 'added');
  await isRefused('next', [oldPin, nextPin]);
  assert.equal((await stage.report('next --yes --by-hand')).step, 'delivered');
  await isRefused('abort', [oldPin]);
  assert.equal((await stage.report('abort --yes --by-hand')).ended, 'aborted');

  await stage.report(`start --next ${crt} --settle 0s`);
  await leadTo(stage, 'swapped');
  present(next);
  await leadTo(stage, 'verified');
  // Nobody is told to bring the next pin alone while a server presents the old certificate.
  present(old);
  assert.equal((await stage.report('next --yes')).reason, 'not every address presents the certificate that it should');
  present(next);
  await isRefused('next', [nextPin]);
  const retired = await stage.report('next --yes --by-hand');
  assert.deepEqual([retired.ended, retired.steps?.at(-1)?.evidence], ['retired', 'told']);
  assert.match(retired.steps?.at(-1)?.because ?? '', /where somebody brought them by hand$/);
});
