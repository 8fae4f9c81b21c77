import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadPinsFile } from '@certpin/pins-file';
import { certificateHex, type Minted, mint, publicKeyPin } from '@certpin/testkit';
import { startServer } from '../peers.ts';
import { certpin, PASSWORD, transcript } from '../transcript.ts';

/** A folder of its own, and a pins file in it that is not there yet. */
function openFolder(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-trust-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return { folder, file: join(folder, 'certpin.json') };
}

interface Stage {
  readonly target: string;
  readonly file: string;
  readonly folder: string;
  readonly names: Record<string, string | number>;
  readonly server: Awaited<ReturnType<typeof startServer>>;
  /** Another certificate, as after a rotation, or of somebody in between. */
  readonly impostor: Minted;
}

async function setStage(t: TestContext): Promise<Stage> {
  const { folder, file } = openFolder(t);
  const server = await startServer(t);
  const impostor = await mint();
  const target = `tls://127.0.0.1:${server.port}`;
  const names = {
    FILE: file,
    TARGET: target,
    PORT: server.port,
    HEX: certificateHex(server.certificate),
    KEY: await publicKeyPin(server.certificate),
    OTHER: certificateHex(impostor),
  };
  return { target, file, folder, names, server, impostor };
}

const pinsOf = (file: string): string[][] =>
  loadPinsFile(file).entries.map(({ policy }) => policy.pins.map(({ sha256 }) => sha256));

test('--yes adds what it has shown, and makes the file; a second time there is nothing to do', async (t) => {
  const { file, folder, names, server } = await setStage(t);
  const first = await transcript('trust TARGET --yes --file FILE', names);
  assert.match(first, /^TARGET\n {2}certificate SHA-256 {2}HEX\n(?: {2}.*\n)+added to FILE: TARGET\nexit 0$/);
  assert.deepEqual(pinsOf(file), [[names.HEX]]);
  const text = readFileSync(file, 'utf8');
  const { mtimeMs } = statSync(file);
  assert.match(await transcript('trust TARGET --yes --file FILE', names), /\nalready trusted in FILE: TARGET\nexit 0$/);
  // The same server by another name of its protocol is the same server.
  const again = await transcript('trust 127.0.0.1:PORT --protocol tls --file FILE', names);
  assert.match(again, /\nalready trusted in FILE: 127\.0\.0\.1:PORT\nexit 0$/);
  assert.equal(readFileSync(file, 'utf8'), text);
  assert.equal(statSync(file).mtimeMs, mtimeMs);
  assert.deepEqual(readdirSync(folder), ['certpin.json']);
  assert.equal(server.received(), 0);
});

test('on a terminal: asked, and only a yes is one; elsewhere nothing is written without --yes', async (t) => {
  const { file, names } = await setStage(t);
  const nobody = await transcript('trust TARGET --file FILE', names);
  assert.match(
    nobody,
    /\n2> certpin: error: TARGET: there is no terminal to ask on; nothing was written\n2> certpin: hint: once .*: --yes\nexit 2$/,
  );
  const no = await transcript('trust TARGET --file FILE', names, { terminal: true, confirmed: false });
  assert.match(no, /add TARGET with this pin to FILE\? \[y\/N\] \n/);
  assert.match(no, /not trusted; FILE is as it was\nexit 1$/);
  assert.equal(existsSync(file), false);
  const yes = await transcript('trust TARGET --file FILE', names, { terminal: true, confirmed: true });
  assert.match(yes, /added to FILE: TARGET\n(?:2> .*\n)*exit 0$/);
  assert.deepEqual(pinsOf(file), [[names.HEX]]);
});

test('an impostor: --yes does not accept another pin, and the file stays as it is', async (t) => {
  const { file, names, server, impostor } = await setStage(t);
  await certpin(['trust', String(names.TARGET), '--yes', '--file', file]);
  const before = readFileSync(file);
  server.present(impostor);
  const said = await transcript('trust TARGET --yes --file FILE', names);
  assert.match(said, /\npin mismatch for 127\.0\.0\.1:PORT: /);
  assert.match(said, /certificate SHA-256: OTHER\n/);
  assert.match(said, /\n {2}configured: HEX \(certificate\)\n/);
  assert.match(
    said,
    /2> certpin: error: TARGET: the pin has changed; FILE is as it was\n2> certpin: hint: .*--add.*\nexit 1$/,
  );
  assert.match(
    await transcript('trust TARGET --file FILE', names),
    /the pin has changed; FILE is as it was\n.*\nexit 1$/,
  );
  // --public-key is no way around it, and neither are the spellings of the target, nor JSON.
  for (const flags of [['--public-key'], ['--json'], ['--protocol', 'tls']]) {
    for (const target of [names.TARGET, `127.0.0.1:${names.PORT}`, `https://127.0.0.1:${names.PORT}`]) {
      const { code } = await certpin(['trust', String(target), '--yes', '--file', file, '--protocol', 'tls', ...flags]);
      assert.equal(code, 1);
    }
  }
  assert.deepEqual(readFileSync(file), before);
  assert.equal(server.received(), 0);
});

test('an impostor: the host as its own server name is no other server', async (t) => {
  const { file, server, impostor } = await setStage(t);
  const target = `localhost:${server.port}`;
  const trust = (...flags: string[]) =>
    certpin(['trust', target, '--yes', '--file', file, '--protocol', 'tls', ...flags]);
  assert.equal((await trust()).code, 0);
  server.present(impostor);
  assert.equal((await trust('--servername', 'LOCALHOST')).code, 1);
  assert.deepEqual(pinsOf(file), [[certificateHex(server.certificate)]]);
});

test('a rotation: --add puts the new pin beside the old one, --replace in its place; a person may add it too', async (t) => {
  const { file, names, server, impostor } = await setStage(t);
  await certpin(['trust', String(names.TARGET), '--yes', '--file', file]);
  server.present(impostor);
  const asked = { terminal: true, confirmed: false };
  const no = await transcript('trust TARGET --file FILE', names, asked);
  assert.match(
    no,
    /THE PIN OF TARGET HAS CHANGED\. Does its operator say so too, and shall certpin put this pin beside/,
  );
  assert.match(no, /exit 1$/);
  assert.deepEqual(pinsOf(file), [[names.HEX]]);
  // An explicit flag does not do without the question either.
  assert.match(await transcript('trust TARGET --add --file FILE', names), /there is no terminal to ask on.*exit 2$/s);
  assert.match(await transcript('trust TARGET --add --yes --file FILE', names), /\npin added in FILE: TARGET\nexit 0$/);
  assert.deepEqual(pinsOf(file), [[names.HEX, names.OTHER]]);
  const replaced = await transcript('trust TARGET --replace --file FILE', names, { ...asked, confirmed: true });
  assert.match(replaced, /put this pin in the place of HEX, OTHER\? /);
  assert.match(replaced, /pins replaced in FILE: TARGET/);
  assert.deepEqual(pinsOf(file), [[names.OTHER]]);
  server.present(server.certificate);
  assert.match(await transcript('trust TARGET --file FILE', names, { terminal: true, confirmed: true }), /exit 0$/);
  assert.deepEqual(pinsOf(file), [[names.OTHER, names.HEX]]);
});

test('--from: the pin of the server’s own file, or of a key that has no certificate yet; nobody is connected to', async (t) => {
  const { file, folder, names, server, impostor } = await setStage(t);
  writeFileSync(join(folder, 'server.crt'), server.certificate.certPem);
  writeFileSync(join(folder, 'next.key'), impostor.keyPem);
  const all = { ...names, CERT: join(folder, 'server.crt'), NEXT: join(folder, 'next.key') };
  assert.match(await transcript('trust TARGET --yes --from CERT --file FILE', all), /added to FILE: TARGET\nexit 0$/);
  assert.match(
    await transcript('trust TARGET --yes --from NEXT --file FILE', all),
    /FILE does not have the pin of NEXT.*exit 1$/s,
  );
  assert.match(
    await transcript('trust TARGET --yes --add --from NEXT --file FILE', all),
    /pin added in FILE.*exit 0$/s,
  );
  assert.equal(server.connections(), 0);
  const next = Buffer.from((await publicKeyPin(impostor)).slice(7), 'base64')
    .toString('hex')
    .toUpperCase();
  assert.deepEqual(pinsOf(file), [[names.HEX, next]]);
  assert.match(
    await transcript('trust NEXT --yes --file FILE', all),
    /no certificate: name the server, .*--from\n.*exit 2$/s,
  );
  assert.match(
    await transcript('trust a:1 b:1 --from CERT', all),
    /--from gives the pins of one target: name one\n.*exit 2$/s,
  );
});

test('--public-key, --servername and a protocol that was found out stand in the file', async (t) => {
  const { file, names } = await setStage(t);
  const { code } = await certpin([
    'trust',
    `127.0.0.1:${names.PORT}`,
    '--public-key',
    '--servername',
    'db.example',
    '-y',
    '--file',
    file,
  ]);
  assert.equal(code, 0);
  const { targets } = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual(targets, [
    { target: `127.0.0.1:${names.PORT}`, protocol: 'tls', servername: 'db.example', pins: [names.KEY] },
  ]);
});

test('a certificate file stands there from the folder of the pins file', async (t) => {
  const { folder, names, server } = await setStage(t);
  mkdirSync(join(folder, 'conf'));
  writeFileSync(join(folder, 'server.crt'), server.certificate.certPem);
  const file = join(folder, 'conf/pins.json');
  assert.equal((await certpin(['trust', join(folder, 'server.crt'), '--yes', '--file', file])).code, 0);
  assert.equal(loadPinsFile(file).entries[0]?.label, '../server.crt');
  assert.equal((await certpin(['check', '--file', file, '-q'])).code, 0);
  assert.deepEqual(pinsOf(file), [[names.HEX]]);
});

test('--json: one object for each target; what failed does not stop the others', async (t) => {
  const { file, target, names } = await setStage(t);
  const { stdout, stderr, code } = await certpin(['trust', './none.pem', target, '--yes', '--json', '--file', file]);
  const [failed, added] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(failed.error.code, 'ENOENT');
  assert.deepEqual({ ...failed, target: '', error: 0 }, { target: '', file, status: 'failed', ok: false, error: 0 });
  assert.equal(added.certificate.sha256, names.HEX);
  assert.deepEqual(
    { ...added, certificate: 0 },
    { target, file, status: 'added', ok: true, pin: names.HEX, pins: [names.HEX], previousPins: [], certificate: 0 },
  );
  assert.deepEqual({ stderr, code }, { stderr: '', code: 2 });
  const unconfirmed = await certpin([
    'trust',
    'server.none:1',
    target,
    '--json',
    '--file',
    `${file}2`,
    '--timeout',
    '5',
  ]);
  assert.match(unconfirmed.stdout, /"status":"unconfirmed"/);
  assert.equal(unconfirmed.code, 2);
});

test('what has no place in the file is refused before anybody is connected to, and no password is repeated', async (t) => {
  const { file, folder, names, server } = await setStage(t);
  writeFileSync(join(folder, 'a=b.pem'), server.certificate.certPem);
  for (const target of ['-', join(folder, 'a=b.pem'), `me:${PASSWORD}@db`, 'db:70000']) {
    const { stdout, stderr, code } = await certpin(['trust', String(names.TARGET), target, '--yes', '--file', file]);
    assert.match(stderr, /^certpin: error: /);
    assert.deepEqual({ stdout, code }, { stdout: '', code: 2 }, target);
  }
  assert.equal(server.connections(), 0);
  const login = `https://me:${PASSWORD}@127.0.0.1:${names.PORT}/${PASSWORD}`;
  assert.equal((await certpin(['trust', login, '--yes', '--file', file])).code, 0);
  assert.doesNotMatch(readFileSync(file, 'utf8'), new RegExp(PASSWORD));
});

test('a file that is broken is not written over, and its mistake has a line and a column', async (t) => {
  const { file, names, server } = await setStage(t);
  const mistakes = {
    '{"version": 3, "targets": []}':
      'FILE:1:13: version 3 of the format needs a newer certpin; this one reads version 1 and 2\n2> certpin: hint: npm install --global @certpin/cli@latest',
    '{"version": 1, "targets": [}': 'FILE:1:28: it is not JSON: value expected',
    'correct-horse': 'FILE:1:1: it is not JSON: invalid symbol',
    '{"version": 1, "targets": [], "correct-horse": 1}': 'FILE:1:31: unknown key "correct-horse"',
  };
  for (const [text, message] of Object.entries(mistakes)) {
    writeFileSync(file, text);
    if (!text.startsWith('{') || !text.includes('"correct-horse"')) {
      assert.equal(await transcript('trust TARGET --yes --file FILE', names), `2> certpin: error: ${message}\nexit 2`);
      assert.equal(await transcript('check --file FILE', names), `2> certpin: error: ${message}\nexit 2`);
    }
    assert.equal(readFileSync(file, 'utf8'), text);
  }
  writeFileSync(file, Uint8Array.of(0x7b, 0xff));
  assert.equal(
    await transcript('check --file FILE', names),
    '2> certpin: error: FILE: it is neither in UTF-8 nor in UTF-16\nexit 2',
  );
  assert.equal(server.connections(), 0);
});

test('a folder that cannot be written to, or is not there: told, and nothing is written', async (t) => {
  const { file, folder, names, server } = await setStage(t);
  assert.equal(
    await transcript('trust TARGET --yes --file FILE', { ...names, FILE: join(folder, 'none/certpin.json') }),
    '2> certpin: error: FILE: no such folder\nexit 2',
  );
  assert.equal(server.connections(), 0);
  chmodSync(folder, 0o555);
  const isRoot = process.geteuid?.() === 0; // to root, every folder is open
  if (isRoot) process.seteuid?.(65_534);
  try {
    const said = await transcript('trust TARGET --yes --file FILE', names);
    assert.match(said, /2> certpin: error: (?:TARGET: )?FILE: permission denied\nexit 2$/);
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(folder, 0o755);
  }
  assert.equal(existsSync(file), false);
});

test('a file that may not be written to is not replaced by another one', async (t) => {
  const { file, folder, names, server } = await setStage(t);
  writeFileSync(file, '{ "version": 1, "targets": [] }');
  chmodSync(file, 0o444);
  const isRoot = process.geteuid?.() === 0; // root may write to every file
  if (isRoot) chmodSync(folder, 0o777);
  if (isRoot) process.seteuid?.(65_534);
  try {
    const said = await transcript('trust TARGET --yes --file FILE', names);
    assert.equal(said, '2> certpin: error: FILE: permission denied\nexit 2');
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
  assert.equal(server.connections(), 0);
  assert.deepEqual(readdirSync(folder), ['certpin.json']);
});

test('a link is followed, to a file that is there or not; the mode stays', async (t) => {
  const { folder, names, file } = await setStage(t);
  mkdirSync(join(folder, 'real'));
  symlinkSync('real/pins.json', file);
  const real = join(folder, 'real/pins.json');
  assert.equal((await certpin(['trust', String(names.TARGET), '--yes', '--file', file])).code, 0);
  assert.ok(lstatSync(file).isSymbolicLink());
  assert.deepEqual(pinsOf(real), [[names.HEX]]);
  chmodSync(real, 0o640);
  assert.equal(
    (await certpin(['trust', String(names.TARGET), '--public-key', '--add', '--yes', '--file', file])).code,
    0,
  );
  assert.ok(lstatSync(file).isSymbolicLink());
  assert.equal(pinsOf(real)[0]?.length, 2);
  assert.equal(statSync(real).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(join(folder, 'real')), ['pins.json']);
});

test('many at once: none is lost', async (t) => {
  const { file, folder, server } = await setStage(t);
  const names = Array.from({ length: 12 }, (_, index) => `cert-${index}.pem`);
  for (const name of names) writeFileSync(join(folder, name), server.certificate.certPem);
  const codes = await Promise.all(
    names.map(async (name) => (await certpin(['trust', join(folder, name), '--yes', '--file', file])).code),
  );
  assert.deepEqual(new Set(codes), new Set([0]));
  assert.deepEqual(
    loadPinsFile(file)
      .entries.map(({ label }) => label)
      .sort(),
    names.map((name) => `./${name}`).sort(),
  );
  assert.equal(existsSync(`${file}.lock`), false);
});

test('while a person was thinking: another target was added, and stays; the same one was changed, and nothing is written', async (t) => {
  const { file, names, server, impostor } = await setStage(t);
  const entry = (target: string, pin: unknown): string => `{ "target": "${target}", "pins": ["${pin}"] }`;
  const write = (...entries: string[]): void =>
    writeFileSync(file, `{ "version": 1, "targets": [\n${entries.join(',\n')} // kept\n] }\n`);
  const confirmed = (change: () => void) => ({
    terminal: true,
    confirmed: () => {
      change();
      return true;
    },
  });
  write(entry('a:1', names.HEX));
  const target = String(names.TARGET);
  const added = await transcript(
    'trust TARGET --file FILE',
    names,
    confirmed(() => write(entry('a:1', names.HEX), entry('b:2', names.HEX))),
  );
  assert.match(added, /exit 0$/);
  assert.deepEqual(
    loadPinsFile(file).entries.map(({ label }) => label),
    ['a:1', 'b:2', target],
  );
  assert.match(readFileSync(file, 'utf8'), / \}, \/\/ kept\n/);

  write(entry(target, names.OTHER));
  const third = certificateHex(await mint());
  const refused = await transcript(
    'trust TARGET --file FILE',
    names,
    confirmed(() => write(entry(target, third))),
  );
  assert.match(refused, /somebody else has changed it, so nothing was written; try again\nexit 2$/);
  assert.deepEqual(pinsOf(file), [[third]]);

  // Somebody has taken it away, and the person had agreed to a pin beside another.
  const gone = await transcript(
    'trust TARGET --file FILE',
    names,
    confirmed(() => write(entry('a:1', names.HEX))),
  );
  assert.match(gone, /nothing was written; try again\nexit 2$/);
  server.present(impostor);
  const already = await transcript(
    'trust TARGET --file FILE',
    names,
    confirmed(() => write(entry(target, names.OTHER))),
  );
  assert.match(already, /already trusted in FILE: TARGET/);
  assert.deepEqual(pinsOf(file), [[names.OTHER]]);
});

test('a certpin that was killed while it wrote: the next one does not wait for it', async (t) => {
  const { file, folder, names } = await setStage(t);
  const writer = fileURLToPath(new URL('../../../pins-file/test/writer.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', writer, 'hold', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  assert.equal(readdirSync(folder).length, 1, 'what was killed has left its lock');
  const start = performance.now();
  assert.match(await transcript('trust TARGET --yes --file FILE', names), /added to FILE: TARGET\nexit 0$/);
  assert.ok(performance.now() - start < 9_000, 'not after the ten seconds that a living one is waited for');
  assert.deepEqual(readdirSync(folder), ['certpin.json']);
});
