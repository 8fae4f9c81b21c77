import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadPinsFile } from '@certpin/pins-file';
import { certificateHex, type Minted, mint, publicKeyPin, startAddresses } from '@certpin/testkit';
import { startServer } from '../peers.ts';
import { certpin, PASSWORD, transcript } from '../transcript.ts';

async function setStage(t: TestContext, certificate?: Minted) {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-trust-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const server = await startServer(t, certificate);
  const target = `tls://127.0.0.1:${server.port}`;
  const put = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const file = join(folder, 'certpin.json');
  return { folder, file, server, target, put, names: { FILE: file, TARGET: target } };
}

const pinsOf = (file: string): string[][] =>
  loadPinsFile(file).entries.map(({ policy }) => policy.pins.map(({ sha256 }) => sha256));
const issuerPinsOf = (file: string): string[][] =>
  loadPinsFile(file).entries.map(({ policy }) => policy.issuerPins.map(({ sha256 }) => sha256));
const hex = certificateHex;

test('a planned rotation from a file is no alarm: nothing was presented, so nothing is called so', async (t) => {
  const { file, names, put, target } = await setStage(t);
  const next = put('next.crt', (await mint({ subject: 'CN=next' })).certPem);
  await certpin(['trust', target, '--yes', '--file', file]);
  for (const flags of ['--add --yes', '--yes', '--replace --yes']) {
    const said = await transcript(`trust TARGET --from NEXT ${flags} --file FILE`, { ...names, NEXT: next });
    assert.doesNotMatch(said, /mismatch|presented|somebody|between you/i, flags);
    assert.match(said, /\n {2}read from NEXT: no server was asked\n/);
  }
  const asked = { terminal: true, confirmed: false };
  const said = await transcript(
    'trust TARGET --from NEXT --add --file FILE',
    { ...names, NEXT: put('n.crt', (await mint()).certPem) },
    asked,
  );
  assert.match(said, /TARGET: put this pin beside the known ones\? \[y\/N\]/);
  assert.doesNotMatch(said, /HAS CHANGED/);
});

test('a CA is no leaf: warned of, refused with --yes, offered as an issuer pin, and stored as what somebody says it is', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Example CA' });
  const leaf = await mint({ issuer: root, names: ['localhost'] });
  const { file, put, server } = await setStage(t, leaf);
  const target = `tls://localhost:${server.port}`;
  const names = { FILE: file, TARGET: target, CA: put('ca.crt', root.certPem) };
  const refused = await transcript('trust TARGET --from CA --yes --file FILE', names);
  assert.match(refused, /2> certpin: warning: TARGET: CA may sign other certificates and does not name the server: /);
  assert.match(
    refused,
    /2> certpin: error: TARGET: not trusted; FILE is as it was\n2> certpin: hint: .* Add --leaf\. .* Add --issuer, .*\nexit 1$/,
  );
  assert.equal(existsSync(file), false);
  const json = await certpin(['trust', target, '--from', names.CA, '--yes', '--json', '--file', file]);
  assert.deepEqual([JSON.parse(json.stdout).status, json.code], ['refused', 1]);

  const offered = await transcript('trust TARGET --from CA --file FILE', names, { terminal: true, confirmed: true });
  assert.match(offered, /TARGET: pin the CA CN=Example CA, so that each certificate that it signs is accepted/);
  assert.match(offered, /added to FILE: TARGET\n(?:2> .*\n)*exit 0$/);
  assert.deepEqual([pinsOf(file), issuerPinsOf(file)], [[[]], [[hex(root)]]]);
  // The server does not send the CA, so its certificate stands in the file, whole: the check holds.
  assert.equal((await certpin(['check', '--file', file, '-q', '--expires-within', '1d'])).code, 0);

  rmSync(file);
  assert.match(await transcript('trust TARGET --from CA --leaf --yes --file FILE', names), /added to FILE.*exit 0$/s);
  assert.deepEqual(pinsOf(file), [[hex(root)]]);
  assert.equal((await certpin(['check', '--file', file, '-q'])).code, 1);
});

test('a CA among the certificates of --pins-file is no leaf either', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Example CA' });
  const leaf = await mint({ issuer: root, names: ['localhost'] });
  const { file, put, server } = await setStage(t, leaf);
  const names = {
    FILE: file,
    TARGET: `tls://localhost:${server.port}`,
    CA: put('ca.crt', root.certPem),
    CHAIN: put('chain.pem', leaf.certPem + root.certPem),
  };
  for (const source of ['CA', 'CHAIN']) {
    const said = await transcript(`trust TARGET --pins-file ${source} --yes --file FILE`, names);
    assert.match(said, /may sign other certificates.*\n.*not trusted; FILE is as it was\n.*\nexit 1$/);
  }
  assert.match(await transcript('trust TARGET --pins-file CA --issuer --yes --file FILE', names), /exit 0$/);
  // As with --from, the certificate stands there whole: the server need not send it.
  assert.equal((await certpin(['check', '--file', file, '-q'])).code, 0);
});

test('a self-signed certificate that may sign others and names the server is the server’s own', async (t) => {
  const own = await mint({ ca: true, subject: 'CN=db', names: ['localhost'] });
  const { file, put, server, target } = await setStage(t, own);
  const names = { FILE: file, TARGET: `tls://localhost:${server.port}`, CERT: put('server.crt', own.certPem) };
  assert.match(await transcript('trust TARGET --from CERT --yes --file FILE', names), /added to FILE: TARGET\nexit 0$/);
  // And what a server presents as its own is its own, whatever it names.
  rmSync(file);
  const { code, stderr } = await certpin(['trust', target, '--yes', '--file', file]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
});

test('--issuer --replace says that the old pins of the server itself still count', async (t) => {
  const { names, put } = await setStage(t);
  const ca = await mint({ ca: true, subject: 'CN=CA' });
  assert.match(await transcript('trust TARGET --yes --file FILE', names), /added to FILE/);
  const all = { ...names, CA: put('ca.crt', ca.certPem) };
  for (const flags of ['--add', '--replace']) {
    const said = await transcript(`trust TARGET --from CA --issuer ${flags} --yes --file FILE`, all);
    assert.match(said, /exit 0$/);
  }
  const next = await mint({ ca: true, subject: 'CN=Next CA' });
  const replaced = { ...names, CA: put('next.crt', next.certPem) };
  const said = await transcript('trust TARGET --from CA --issuer --replace --yes --file FILE', replaced);
  assert.match(
    said,
    /pins replaced in FILE: TARGET\n2> certpin: warning: TARGET: `pins` of the target still count too/,
  );
});

test('an expired certificate: warned of, refused with --yes unless it is said to be meant; then the file says so', async (t) => {
  const { file, names, target } = await setStage(t, await mint({ validFromDays: -9, validToDays: -2 }));
  const refused = await transcript('trust TARGET --yes --file FILE', names);
  assert.match(refused, /2> certpin: warning: TARGET: the certificate expired on \d{4}-\d\d-\d\d: /);
  assert.match(refused, /2> certpin: hint: --accept-expired .*\nexit 1$/);
  assert.equal(existsSync(file), false);
  assert.equal((await certpin(['trust', target, '--yes', '--json', '--file', file])).code, 1);
  const said = await transcript('trust TARGET --yes --accept-expired --file FILE', names);
  assert.match(said, /added to FILE: TARGET\nexit 0$/);
  assert.equal((await certpin(['check', '--file', file, '-q'])).code, 0);
  rmSync(file);
  const asked = await transcript('trust TARGET --file FILE', names, { terminal: true, confirmed: true });
  assert.match(asked, /the certificate expired on .*\n.*add TARGET with this pin/);
  assert.match(asked, /exit 0$/);
});

test('--targets-file: a list, shown or quiet, with a note, a summary and the file’s own form', async (t) => {
  const { file, names, server, put } = await setStage(t);
  const other = await startServer(t);
  const closed = await startServer(t);
  await closed.close();
  const targets = [server, other, closed].map(({ port }) => `tls://127.0.0.1:${port}`);
  const list = put('hosts.txt', `# all\n${targets.join('\n')} # the last\n${targets[0]}\n`);
  writeFileSync(
    file,
    '{ "version": 1, "targets": [\n  // first\n  { "target": "a:1", "pins": ["AA:BB"] }\n] }\n'.replace(
      'AA:BB',
      'AB'.repeat(32),
    ),
  );
  const all = { ...names, LIST: list, SECOND: targets[1] ?? '', CLOSED: targets[2] ?? '' };
  const said = await transcript('trust --targets-file LIST --yes --note ops --file FILE', all);
  assert.match(said, /\nadded to FILE: TARGET\nadded to FILE: SECOND\n/);
  assert.match(said, /\n2> certpin: error: CLOSED: connection refused: nothing listens there\n/);
  assert.match(said, /2> certpin: summary: 3 targets, 2 added, 1 failed \(ECONNREFUSED 1\)\nexit 2$/);
  const line = ({ port, certificate }: typeof server): string =>
    `  { "target": "tls://127.0.0.1:${port}", "pins": ["${hex(certificate)}"], "note": "ops" }`;
  assert.equal(
    readFileSync(file, 'utf8'),
    `{ "version": 1, "targets": [\n  // first\n  { "target": "a:1", "pins": ["${'AB'.repeat(32)}"] },\n${line(server)},\n${line(other)}\n] }\n`,
  );
  const again = await certpin(['trust', '--targets-file', '-', '--yes', '-q', '--file', file], {
    stdin: `${targets[0]}\n${targets[1]}\n`,
  });
  assert.deepEqual(again, { stdout: '', stderr: '', code: 0 });
  // Whoever runs it quietly has to hear of a server that no later check asks.
  const missing = await certpin(['trust', '--targets-file', list, '--yes', '-q', '--file', file]);
  assert.deepEqual([missing.code, missing.stdout], [2, '']);
  assert.match(
    missing.stderr,
    /connection refused[^\n]*\ncertpin: summary: 3 targets, .*1 failed \(ECONNREFUSED 1\)\n$/,
  );
});

test('targets of a list that cannot be read are told by file and line, all at once, and nobody is asked', async (t) => {
  const { file, target, put, server } = await setStage(t);
  const list = put('hosts.txt', `${target}\n# none\npostgres://me:${PASSWORD}/x@db\n\n  foo://a:1 # b\r\n${target}\n`);
  const { stdout, stderr, code } = await certpin(['trust', '--targets-file', list, '--yes', '--file', file]);
  assert.match(stderr, /^certpin: error: .*hosts\.txt, line 3: the target cannot be used: /);
  assert.match(stderr, /\ncertpin: error: .*hosts\.txt, line 5: the target cannot be used: certpin does not know foo/);
  assert.equal(stderr.match(/hint: certpin help trust/g)?.length, 1);
  assert.deepEqual({ stdout, code, asked: server.connections() }, { stdout: '', code: 2, asked: 0 });
  const piped = await certpin(['trust', '-', '--targets-file', '-', '--yes', '--file', file], {
    stdin: 'foo://a:1\nb:0',
  });
  assert.match(
    piped.stderr,
    /^certpin: error: standard input cannot .*\n.*: standard input, line 1: .*\n.*: standard input, line 2: /,
  );
});

test('--remove and --revoke name the lines of a list too, and take nothing out', async (t) => {
  const { file, target, put } = await setStage(t);
  await certpin(['trust', target, '--yes', '--file', file]);
  const list = put('gone.txt', `${target}\nelsewhere:1\n# none\nfoo://a:1\n`);
  for (const flags of [['--remove'], ['--revoke', 'AB'.repeat(32)]]) {
    const { stderr, code } = await certpin(['trust', ...flags, '--targets-file', list, '--yes', '--file', file]);
    assert.match(
      stderr,
      /error: .*gone\.txt, line 2: elsewhere:1 is not in .*\n.*gone\.txt, line 4: the target cannot/,
    );
    assert.deepEqual([pinsOf(file).length, code], [1, 2]);
  }
});

test('one of several is refused: the others are written, and the file is not said to be as it was', async (t) => {
  const { file, put, target, server } = await setStage(t);
  const second = put('second.crt', server.certificate.certPem);
  await certpin(['trust', target, '--yes', '--file', file]);
  server.present(await mint());
  const { stderr, code } = await certpin(['trust', target, second, '--yes', '--file', file]);
  assert.match(stderr, /: the pin has changed; .* is as it was for this target\n/);
  assert.doesNotMatch(stderr, /is as it was(?! for this target)/);
  assert.deepEqual([pinsOf(file).length, code], [2, 1]);
});

test('one write for the whole run: who reads meanwhile sees the old file or the new one', async (t) => {
  const { file, put, server } = await setStage(t);
  const names = Array.from({ length: 40 }, (_, index) => `tls://127.0.0.1:${server.port}#${index}`);
  const certificates = names.map((_, index) => put(`${index}.crt`, server.certificate.certPem));
  const list = put('list.txt', certificates.join('\n'));
  let asked = 0;
  const confirmed = (): boolean => {
    assert.equal(existsSync(file), false, 'it is written at the end');
    return ++asked !== 7;
  };
  const { code } = await certpin(['trust', '--targets-file', list, '--file', file], { terminal: true, confirmed });
  assert.deepEqual([asked, pinsOf(file).length, code], [40, 39, 1]);
});

test('Ctrl-C at a question: what was agreed to is written, and nobody is asked any more', async (t) => {
  const { file, put, server } = await setStage(t);
  const list = [0, 1, 2].map((index) => put(`${index}.crt`, server.certificate.certPem));
  const interrupt = new AbortController();
  let asked = 0;
  const confirmed = (): boolean | Promise<boolean> => {
    if (++asked === 1) return true;
    interrupt.abort();
    return new Promise<boolean>(() => undefined);
  };
  const { code } = await certpin(['trust', ...list, '--file', file], {
    terminal: true,
    confirmed,
    interrupt: interrupt.signal,
  });
  assert.deepEqual([asked, pinsOf(file).length, code], [2, 1, 130]);
});

test('--issuer: a CA for a whole list, from a certificate file or a list of pins', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Example CA' });
  const { file, put, target, server } = await setStage(t, await mint({ issuer: root, names: ['localhost'] }));
  const list = put('hosts.txt', `tls://localhost:${server.port}\n${target}\n`);
  const ca = put('ca.pem', root.certPem);
  const said = await certpin(['trust', '--targets-file', list, '--from', ca, '--issuer', '--yes', '--file', file]);
  assert.match(said.stderr, /summary: 2 targets, 2 added\n$/);
  assert.equal(server.connections(), 0);
  assert.deepEqual(issuerPinsOf(file), [[hex(root)], [hex(root)]]);
  // For the name that is called: the certificate does not name the address.
  const { stdout } = await certpin(['check', '--file', file, '--csv']);
  assert.match(stdout, /,true,ends-soon,.*\r\n.*,false,drift,ERR_HOSTNAME_MISMATCH,/);

  const text = put('pins.txt', `# the CA\n${hex(root)}\n# the next\n${'CD'.repeat(32)}\n`);
  const other = join(file, '..', 'other.json');
  const pinned = await certpin(['trust', target, '--pins-file', text, '--issuer', '--yes', '--json', '--file', other]);
  assert.deepEqual(JSON.parse(pinned.stdout).pins, [hex(root), 'CD'.repeat(32)]);
  assert.deepEqual(issuerPinsOf(other), [[hex(root), 'CD'.repeat(32)]]);
  const leaf = put('leaf.pem', server.certificate.certPem);
  assert.match(
    (await certpin(['trust', target, '--from', leaf, '--issuer', '--yes'])).stderr,
    /this is another certificate/,
  );
});

test('--pins-file: the pins of a text, for one target; nobody is asked', async (t) => {
  const { file, names, put, server } = await setStage(t);
  const all = {
    ...names,
    PINS: put('pins.txt', `${hex(server.certificate)} # now\n${await publicKeyPin(await mint())}\n`),
  };
  const said = await transcript('trust TARGET --pins-file PINS --yes --file FILE', all);
  assert.match(said, /^TARGET\n {2}[0-9A-F]{64} \(certificate\)\n {2}sha256\/\S+ \(public-key\)\n {2}read from PINS: /);
  assert.equal(pinsOf(file)[0]?.length, 2);
  assert.equal(server.connections(), 0);
  assert.equal((await certpin(['check', '--file', file, '-q'])).code, 0);
  assert.match(
    await transcript('trust a:1 b:1 --pins-file PINS', all),
    /--pins-file gives the pins of one target: name one/,
  );
});

test('--all-addresses: each different certificate is shown and asked about, and --yes accepts none where they differ', async (t) => {
  const { file } = await setStage(t);
  const [first, second] = [await mint({ names: ['several.example'] }), await mint({ names: ['several.example'] })];
  const stage = await startAddresses([first, second, first]);
  t.after(stage.close);
  const { lookup } = stage;
  const names = { FILE: file, TARGET: `tls://${stage.name}:${stage.port}`, FIRST: hex(first), SECOND: hex(second) };
  for (const [flags, expected] of [
    ['--yes', /its addresses present 2 different certificates; FILE is as it was\n.*\nexit 1$/],
    ['--yes --json', /"status":"differs".*\nexit 1$/],
  ] as const) {
    assert.match(await transcript(`trust TARGET --all-addresses ${flags} --file FILE`, names, { lookup }), expected);
    assert.equal(existsSync(file), false);
  }
  let asked = 0;
  const confirmed = (): boolean => ++asked > 0;
  const said = await transcript('trust TARGET --all-addresses --file FILE', names, {
    lookup,
    terminal: true,
    confirmed,
  });
  assert.match(said, /TARGET at 127\.0\.0\.1, 127\.0\.0\.3\D.*\n.*FIRST/);
  assert.match(said, /TARGET at 127\.0\.0\.2\D.*\n.*SECOND/);
  assert.match(said, /TARGET: put this pin beside that of the other address\?/);
  assert.deepEqual([asked, pinsOf(file)], [2, [[hex(first), hex(second)]]]);
  assert.equal((await certpin(['check', '--file', file, '--all-addresses', '-q'], { lookup })).code, 0);
  // Where all of them are pinned, there is nothing to refuse.
  assert.match(
    await transcript('trust TARGET --all-addresses --yes --file FILE', names, { lookup }),
    /already trusted.*exit 0$/s,
  );

  // An address that does not answer was not seen: nothing is written.
  const gap = await startAddresses([first, undefined]);
  t.after(gap.close);
  const target = `tls://${gap.name}:${gap.port}`;
  const failed = await certpin(['trust', target, '--all-addresses', '--yes', '--file', `${file}2`], gap);
  assert.equal(failed.code, 2);
  assert.match(failed.stderr, /several\.example:\d+ at 127\.0\.0\.2: connection refused/);
  assert.equal(existsSync(`${file}2`), false);
  const same = await startAddresses([first, first]);
  t.after(same.close);
  const one = `tls://${same.name}:${same.port}`;
  assert.equal((await certpin(['trust', one, '--all-addresses', '--yes', '--file', `${file}2`], same)).code, 0);
});

test('--remove: the target goes, by name or pattern; one that is not there is told', async (t) => {
  const { file, names } = await setStage(t);
  const pins = `"pins": ["${'AB'.repeat(32)}"]`;
  const entry = (target: string): string => `  { "target": "${target}", ${pins} }`;
  const write = (...targets: string[]): void =>
    writeFileSync(file, `{ "version": 1, "targets": [\n${targets.map(entry).join(',\n')}\n] }\n`);
  write('a.example', 'b.example:8443', 'c.other');
  assert.match(await transcript('trust --remove d.example --file FILE', names), /d\.example is not in FILE.*exit 2$/s);
  assert.match(await transcript('trust --remove a.example --file FILE', names), /no terminal to ask on.*exit 2$/s);
  const no = await transcript('trust --remove a.example --file FILE', names, { terminal: true, confirmed: false });
  assert.match(no, /take a\.example and its pins out of FILE\? .*FILE is as it was\nexit 1$/s);
  assert.equal(
    await transcript('trust --remove a.example --yes --file FILE', names),
    'removed from FILE: a.example\nexit 0',
  );
  const json = await certpin(['trust', '--remove', '*.example', '--yes', '--json', '--file', file]);
  assert.equal(json.code, 0);
  assert.deepEqual(JSON.parse(json.stdout).status, 'removed');
  assert.equal(readFileSync(file, 'utf8'), `{ "version": 1, "targets": [\n${entry('c.other')}\n] }\n`);
});

test('--revoke: out of the pins and into the list, for ever; the file becomes version 2, and the server is revoked', async (t) => {
  const { file, names, server, target } = await setStage(t);
  const next = await mint();
  const pin = hex(server.certificate);
  writeFileSync(
    file,
    `{ "version": 1, // ours\n"targets": [\n  { "target": "${target}", "pins": ["${pin.toLowerCase()}", "${hex(next)}"] },\n  { "target": "b:1", "pins": ["${hex(next)}"] }\n] }\n`,
  );
  const all = { ...names, PIN: pin };
  const asked = await transcript('trust --revoke PIN --file FILE', all, { terminal: true, confirmed: false });
  assert.match(asked, /revoke PIN of TARGET for ever in FILE, which becomes version 2 of the format\? /);
  assert.equal(loadPinsFile(file).version, 1);
  const done = await transcript('trust --revoke PIN --reason lost --yes --file FILE', all);
  assert.equal(done, 'pin revoked in FILE: TARGET\nexit 0');
  const today = new Date().toISOString().slice(0, 10);
  assert.equal(
    readFileSync(file, 'utf8'),
    `{ "version": 2, // ours\n"targets": [\n  { "target": "${target}", "pins": ["${hex(next)}"], "revoked": [{ "pin": "${pin}", "since": "${today}", "reason": "lost" }] },\n  { "target": "b:1", "pins": ["${hex(next)}"] }\n] }\n`,
  );
  const check = await transcript('check --file FILE TARGET', all);
  assert.match(check, /^revoked +TARGET +its pin is revoked since \d{4}-\d\d-\d\d: lost\n/);
  assert.match(check, /summary: 1 target, 1 revoked\nexit 1$/);
  // Nobody is told how to make it match, and no report calls it good.
  assert.doesNotMatch(check, /likely|add a pin|configured/);
  const { stdout } = await certpin(['check', '--file', file, '--json', target]);
  const { ok, code, explanation } = JSON.parse(stdout);
  assert.deepEqual([ok, code], [false, 'ERR_PIN_REVOKED']);
  assert.match(explanation, /^pin revoked: /);
  assert.match((await certpin(['check', '--file', file, '--csv', target])).stdout, /,false,revoked,ERR_PIN_REVOKED,/);
  // By no flag, by neither hash, from no source.
  const before = readFileSync(file, 'utf8');
  for (const flags of ['--yes', '--add --yes', '--replace --yes', '--public-key --add --yes', '--add --yes --json']) {
    const said = await transcript(`trust TARGET ${flags} --file FILE`, all, { terminal: true, confirmed: true });
    assert.match(said, /this pin is revoked in FILE, and is not added again|"status":"revoked"/, flags);
    assert.match(said, /exit 1$/, flags);
    assert.equal(readFileSync(file, 'utf8'), before);
  }
  assert.match(
    await transcript('trust --revoke PIN TARGET --yes --file FILE', all),
    /^already revoked in FILE: TARGET\nexit 0$/,
  );
  // Once more, where it is not among the pins: it can be revoked beforehand, of a target that is named.
  assert.match(
    await transcript('trust --revoke PIN --yes --file FILE', all),
    /no target of the file has this pin: name the target/,
  );
  assert.match(await transcript('trust b:1 --revoke PIN --yes --file FILE', all), /^pin revoked in FILE: b:1\nexit 0$/);
});

test('--revoke leaves no target without a pin, and a pin in both lists is a mistake in the file', async (t) => {
  const { file, names, server, target } = await setStage(t);
  await certpin(['trust', target, '--yes', '--file', file]);
  const before = readFileSync(file, 'utf8');
  const said = await transcript('trust --revoke PIN --yes --file FILE', { ...names, PIN: hex(server.certificate) });
  assert.match(
    said,
    /TARGET: no pin would be left; FILE is as it was\n2> certpin: hint: add the next pin first.*\nexit 1$/,
  );
  assert.equal(readFileSync(file, 'utf8'), before);
  // Nor where its one pin is a whole certificate, and the pin of its key is revoked.
  const key = await publicKeyPin(server.certificate);
  const whole = JSON.stringify({
    version: 1,
    targets: [{ target, issuerPins: [server.certificate.certPem.trim(), key] }],
  });
  writeFileSync(file, whole);
  assert.match(
    await transcript('trust --revoke PIN --yes --file FILE', { ...names, PIN: key }),
    /TARGET: no pin would be left; FILE is as it was\n2> certpin: hint: add the next pin first.*\nexit 1$/,
  );
  assert.equal(readFileSync(file, 'utf8'), whole);
  const pin = hex(server.certificate);
  writeFileSync(
    file,
    JSON.stringify({ version: 2, targets: [{ target, pins: [pin], revoked: [{ pin, since: '2026-01-01' }] }] }),
  );
  for (const command of ['trust TARGET --yes --file FILE', 'check --file FILE']) {
    assert.match(
      await transcript(command, names),
      /this pin is revoked, but the target still has it among its pins: remove it there\nexit 2$/,
    );
  }
});

test('a revoked CA: whatever it has signed is revoked; a certificate that is merely sent along is not', async (t) => {
  const [old, root, stranger] = [
    await mint({ ca: true, subject: 'CN=Old CA' }),
    await mint({ ca: true, subject: 'CN=Root' }),
    await mint({ ca: true, subject: 'CN=Stranger' }),
  ];
  const middle = await mint({ ca: true, subject: 'CN=Middle', issuer: root });
  const leaf = await mint({ issuer: middle, names: ['localhost'] });
  const sendsAlong: Minted = { ...leaf, chainPem: `${leaf.certPem}${middle.certPem}${stranger.certPem}` };
  const { file, server } = await setStage(t, sendsAlong);
  const target = `tls://localhost:${server.port}`;
  const status = async (revoked: Minted): Promise<string> => {
    const entry = { target, issuerPins: [root.certPem], revoked: [{ pin: hex(revoked), since: '2026-01-01' }] };
    writeFileSync(file, JSON.stringify({ version: 2, targets: [entry] }));
    return JSON.parse((await certpin(['check', '--file', file, '--json'])).stdout).status;
  };
  assert.equal(await status(old), 'ends-soon');
  assert.equal(await status(stranger), 'ends-soon');
  assert.equal(await status(middle), 'revoked');
});

test('what does not go together is refused before anybody is connected to', async (t) => {
  const { names, server } = await setStage(t);
  const mistakes = {
    '--remove --add': '--add does not go with --remove',
    '--revoke PIN --from x': '--from does not go with --revoke',
    '--remove --revoke PIN': '--revoke does not go with --remove',
    '--issuer --yes': '--issuer goes with --from or --pins-file',
    '--leaf': '--leaf goes with --from or --pins-file',
    '--from x --issuer --leaf': '--leaf does not go with --issuer',
    '--reason x': '--reason goes with --revoke',
    '-q': '--quiet goes with --yes',
    '--from x --all-addresses': '--all-addresses does not go with --from',
  };
  for (const [flags, message] of Object.entries(mistakes)) {
    const said = await transcript(`trust TARGET ${flags} --file FILE`, names);
    assert.equal(said, `2> certpin: error: ${message}\n2> certpin: hint: certpin help trust\nexit 2`, flags);
  }
  assert.match(await transcript('trust --file FILE', names), /missing required argument 'target'/);
  assert.equal(server.connections(), 0);
});
