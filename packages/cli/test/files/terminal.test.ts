import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mintFiles, openWorkshop } from './openssl.ts';

// The published program, on a pseudo terminal that Debian's `script` makes. A terminal echoes what is typed unless it is told not to.

const bin = fileURLToPath(new URL('../../bin/certpin.cjs', import.meta.url));

/** Runs the program in the shell's syntax, types `keys` once it has asked, and returns all that the terminal showed. */
async function onTerminal(
  command: string,
  keys: string,
  prompt = 'password of ',
): Promise<{ shown: string; code: number }> {
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  let typed = false;
  child.stdout.on('data', (bytes: Buffer) => {
    shown += bytes;
    if (typed || !shown.includes(prompt)) return;
    typed = true;
    child.stdin.write(keys);
  });
  const [code] = await once(child, 'close');
  return { shown, code };
}

test('a password is typed without echo, even where the file is piped in and the answer piped away', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  shop.openssl('pkcs12 -export -in server.pem -inkey server.key -passout pass:horse-42 -out server.p12');
  const file = shop.path('server.p12');
  const node = `${process.execPath} ${bin}`;
  const hex = shop.fingerprint('server.pem');

  const typed = await onTerminal(`${node} get -q ${file}`, 'horse-43\u007F2\r');
  assert.deepEqual(typed, { shown: `password of ${file}: \r\n${hex}\r\n`, code: 0 });

  const piped = await onTerminal(`cat ${file} | ${node} get -q - | tr A-F a-f`, 'horse-42\r');
  assert.deepEqual(piped, { shown: `password of -: \r\n${hex.toLowerCase()}\r\n`, code: 0 });

  const two = await onTerminal(`${node} get -q ${file} --password-env NONE`, '');
  assert.match(two.shown, /the environment variable that --password-env names is not set/);

  const wrong = await onTerminal(`${node} get -q ${file}`, 'no\r');
  assert.match(wrong.shown, /the password is wrong/);
  assert.equal(wrong.code, 2);

  const interrupted = await onTerminal(`${node} get -q ${file}`, 'horse\u0003');
  assert.equal(interrupted.shown, `password of ${file}: \r\n`);
  assert.notEqual(interrupted.code, 0);

  const ended = await onTerminal(`${node} get -q ${file}`, '\u0004');
  assert.match(ended.shown, /it is encrypted, and no password was given/);
  assert.equal(ended.code, 2);
});

test('certpin trust asks on the terminal, shows what is typed, and takes a yes alone for one', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  const file = shop.path('certpin.json');
  const command = `${process.execPath} ${bin} trust ${shop.path('server.pem')} --file ${file}`;
  for (const [keys, code] of [
    ['\r', 1],
    ['n\r', 1],
    ['yess\r', 1],
    ['\u0004', 2],
    ['y\u0003', 130],
  ] as const) {
    const said = await onTerminal(command, keys, '[y/N] ');
    assert.equal(existsSync(file), false, JSON.stringify(keys));
    assert.equal(said.code, code, JSON.stringify(said));
  }
  const { shown, code } = await onTerminal(`${command} | cat`, 'Yeah\u007F\u007Fs\r', '[y/N] ');
  assert.match(shown, /add \.\/server\.pem with this pin to .*\? \[y\/N\] Ye/);
  assert.doesNotMatch(shown, /\r> /);
  assert.equal(code, 0);
  assert.ok(existsSync(file));
});

test('the reader of containers is loaded for a container only', async (t) => {
  const shop = openWorkshop(t);
  await mintFiles(shop);
  shop.openssl('crl2pkcs7 -nocrl -certfile server.pem -out server.p7b');
  const hook = shop.write(
    'loaded.cjs',
    "process.on('exit', () => process.stderr.write(String(Object.keys(require.cache).some((name) => name.includes('node-forge')))))",
  );
  for (const [name, expected] of [
    ['server.pem', 'false'],
    ['server.key', 'false'],
    ['server.p7b', 'true'],
  ] as const) {
    const child = spawn(process.execPath, ['--require', hook, bin, 'get', '-q', shop.path(name)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (bytes: Buffer) => {
      stderr += bytes;
    });
    await once(child, 'close');
    assert.equal(stderr, expected, name);
  }
});
