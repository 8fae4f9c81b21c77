// Whatever an option names, no more of it is read than such a file can have: a device and a pipe have no end.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { mint } from '@certpin/testkit';
import { writeTemporary } from '../peers.ts';
import { certpin } from '../transcript.ts';

/** Every option, and every argument, that names a file. FILE is what has no end, OTHER a certificate, KEY an encrypted key. */
const commands = [
  'get FILE',
  'check FILE --pin sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  'check --file FILE',
  'check OTHER --pins-file FILE',
  'get --targets-file FILE',
  'get KEY --password-file FILE',
  'get a.example --cert FILE --key OTHER',
  'get a.example --cert OTHER --key FILE',
  'trust a.example:1 --from FILE --yes',
  'trust a.example:1 --from OTHER --yes --file FILE',
  'auth0 run OTHER.js --config-file FILE',
  'auth0 run OTHER.js --user a --password-file FILE',
  'auth0 run FILE',
  'auth0 run OTHER.js --trust-ca FILE',
  'lint FILE',
];

async function holdsTo(t: TestContext, endless: (t: TestContext) => string): Promise<void> {
  const certificate = await mint();
  const key = writeTemporary(
    t,
    'key.pem',
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-aes256', '-pass', 'pass:x']),
  );
  const other = writeTemporary(t, 'other.pem', certificate.certPem);
  const script = writeTemporary(t, 'login.js', 'function login(email, password, callback) { callback(null); }');
  for (const command of commands) {
    const file = endless(t);
    const names: Record<string, string> = { FILE: file, OTHER: other, 'OTHER.js': script, KEY: key };
    const { stderr, stdout, code } = await certpin(command.split(' ').map((word) => names[word] ?? word));
    assert.equal(code, 2, command);
    const said = command.startsWith('lint') ? stdout : stderr;
    // A pins file may have 64 MiB: it can have 100,000 targets.
    const limit = command === 'check --file FILE' ? 64 : 16;
    const refusal = new RegExp(`(?:more|larger) than ${limit} MiB|not a regular file|holds no certificate in PEM`);
    assert.match(said, refusal, command);
    assert.equal(said.match(/error/g)?.length, 1, `${command}\n${said}`);
  }
}

test('a device without end', (t) => holdsTo(t, () => '/dev/zero'));

test('a named pipe whose writer never ends', (t) =>
  holdsTo(t, (t) => {
    const pipe = join(dirname(writeTemporary(t, 'x', '')), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('sh', ['-c', 'exec cat /dev/zero > "$0"', pipe], { stdio: 'ignore' });
    t.after(() => writer.kill('SIGKILL'));
    return pipe;
  }));

test('standard input without end: a file, and a list of targets in one line', async () => {
  const endless = (): Readable =>
    Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1 << 16, 'a');
      })(),
    );
  for (const argv of [
    ['get', '-'],
    ['get', '--targets-file', '-'],
  ]) {
    const { stderr, code } = await certpin(argv, { stdin: endless() });
    assert.equal(code, 2, argv.join(' '));
    assert.match(stderr, /^certpin: error: .*(?:more than 16 MiB|a line of more than 64 KiB)/, argv.join(' '));
  }
});

test('a pipe that ends is read as a file is, and a list from standard input has lines of either kind', async (t) => {
  const certificate = await mint();
  const pem = writeTemporary(t, 'server.pem', certificate.certPem);
  const pipe = join(dirname(pem), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const written = once(spawn('sh', ['-c', 'cat "$1" > "$0"', pipe, pem], { stdio: 'ignore' }), 'exit');
  assert.equal((await certpin(['check', pem, '--pins-file', pipe])).code, 0);
  await written;
  const { stdout } = await certpin(['get', '-q', '--targets-file', '-'], { stdin: `${pem}\r\n# x\n\n${pem}` });
  assert.equal(stdout.trim().split('\n').length, 2);
});

test('a pins file that cannot be put in the place of what is there is not written', async (t) => {
  const other = writeTemporary(t, 'other.pem', (await mint()).certPem);
  const { stderr, code } = await certpin(['trust', 'a.example:1', '--from', other, '--yes', '--file', '/dev/null']);
  assert.deepEqual({ stderr, code }, { stderr: 'certpin: error: /dev/null: it is not a regular file\n', code: 2 });
});
