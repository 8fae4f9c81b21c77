import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, longOnly, mint } from '@certpin/testkit';
import { startPeer, startServer, writeTemporary } from './peers.ts';

// The published program: what `npm run build` has made.
const bin = fileURLToPath(new URL('../bin/certpin.cjs', import.meta.url));

async function certpin(...argv: string[]) {
  const child = spawn(process.execPath, [bin, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { stdout, stderr, code };
}

test('the program: 0 the pin holds, 1 it does not, 2 the question could not be asked', async (t) => {
  accessSync(bin, constants.X_OK);
  const server = await startServer(t);
  const target = `127.0.0.1:${server.port}`;
  const hex = certificateHex(server.certificate);
  assert.deepEqual(await certpin('get', '-q', target), { stdout: `${hex}\n`, stderr: '', code: 0 });
  assert.equal((await certpin('check', target, '--pin', hex)).code, 0);
  assert.equal((await certpin('check', target, '--pin', 'AA'.repeat(32))).code, 1);
  assert.deepEqual(await certpin('check', target, '--pin', 'AA', '--json', '--nonsense'), {
    stdout: '',
    stderr: "certpin: error: unknown option '--nonsense'\ncertpin: hint: certpin help check\n",
    code: 2,
  });
});

test('a reader that goes away is no error', async (t) => {
  const file = writeTemporary(t, 'server.crt', (await mint()).certPem);
  // more than a pipe holds, so that the program is still writing when its reader goes
  const child = spawn(process.execPath, [bin, 'get', '--json', ...Array.from({ length: 3000 }, () => file)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stderr = text(child.stderr);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await once(child, 'close');
  assert.deepEqual({ stderr: await stderr, code }, { stderr: '', code: 0 });
});

test('a write that failed is named', async (t) => {
  const file = writeTemporary(t, 'server.crt', (await mint()).certPem);
  for (const argv of [
    ['get', file],
    ['get', '--json', file],
    ['check', file, '--pin', 'AA'.repeat(32)],
    ['help', 'get'],
  ]) {
    const child = spawn('bash', ['-c', 'exec "$@" > /dev/full', 'bash', process.execPath, bin, ...argv]);
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    assert.equal(stderr, 'certpin: error: standard output: no space is left on the disk\n');
    assert.equal(code, 2);
  }
});

test('Ctrl-C: what is there is printed, the rest is given up, exit 130; standard input does not hold it up', async (t) => {
  const server = await startServer(t);
  const slow = await startPeer(t, () => undefined);
  const child = spawn(process.execPath, [bin, 'get', '--format', 'hex', '--targets-file', '-', '--timeout', '0']);
  child.stdin.write(`127.0.0.1:${server.port}\n127.0.0.1:${slow.port}\n`); // and no end
  child.stdout.once('data', () => child.kill('SIGINT'));
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  assert.equal(stdout, `${certificateHex(server.certificate)}\n`);
  assert.equal(stderr, 'certpin: summary: 1 target, 1 read; the others were not waited for\n');
  assert.equal(code, 130);
});

test('a named pipe into which nobody writes: Ctrl-C and the total time end the program; one into which somebody does is a file', async (t) => {
  const file = writeTemporary(t, 'server.crt', (await mint()).certPem);
  const pipe = join(dirname(file), 'pipe.pem');
  execFileSync('mkfifo', [pipe]);
  const late = await certpin('get', '-q', pipe, '--total-timeout', '0.5');
  assert.match(late.stderr, /: no answer within 500 ms, the time for all targets together\n/);
  assert.equal(late.code, 2);
  const child = spawn(process.execPath, [bin, 'get', file, pipe], { stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.once('data', () => child.kill('SIGINT'));
  assert.deepEqual(await once(child, 'close'), [130, null]);
  const [{ stdout, code }] = await Promise.all([
    certpin('get', '-q', pipe),
    once(spawn('cp', [file, pipe]), 'close'), // waits for its reader
  ]);
  assert.match(stdout, /^[0-9A-F]{64}\n$/);
  assert.equal(code, 0);
});

test('a target list and a target cannot both be standard input', async (t) => {
  const file = writeTemporary(t, 'server.crt', (await mint()).certPem);
  const input = (...argv: string[]) => {
    const child = spawn(process.execPath, [bin, ...argv], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(`-\n${file}\n`);
    return Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  };
  const [twice, listed] = await Promise.all([
    input('get', '-q', '--targets-file', '-', '--targets-file', '-'),
    input('get', '-q', '--targets-file', '-'),
  ]);
  const error = 'standard input can be read once only\n';
  assert.deepEqual(twice, ['', `certpin: error: ${error}certpin: hint: certpin help get\n`, [2, null]]);
  assert.match(listed[0], /^[0-9A-F]{64}\n$/);
  assert.deepEqual(listed.slice(1), [`certpin: error: -: ${error}`, [2, null]]);
});

test('a disk that is full: certpin trust leaves the pins file as it was, and no lock', async (t) => {
  const file = writeTemporary(t, 'server.crt', (await mint()).certPem);
  const pins = join(dirname(file), 'certpin.json');
  const full = `{ "version": 1, "targets": [] } // ${'x'.repeat(5000)}`;
  writeFileSync(pins, full);
  const command = 'ulimit -f 4; exec "$@"'; // 4 KiB
  const child = spawn('bash', ['-c', command, 'bash', process.execPath, bin, 'trust', file, '--yes', '--file', pins]);
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close'), text(child.stdout)]);
  assert.equal(stderr, `certpin: error: ./server.crt: ${pins}: the file would become larger than it may\n`);
  assert.equal(code, 2);
  assert.equal(readFileSync(pins, 'utf8'), full);
  assert.deepEqual(readdirSync(dirname(file)).sort(), ['certpin.json', 'server.crt']);
});

test('the answers are the same, however many targets are asked at a time', longOnly, async (t) => {
  const servers = [await startServer(t), await startServer(t, await mint({ subject: 'CN=other' }))];
  const gone = await startPeer(t, (socket) => socket.destroy());
  const ports = [...servers, gone].map(({ port }) => port);
  const lines = Array.from({ length: 320 }, (_, index) => `tls://127.0.0.1:${ports[index % 3]}`);
  const list = writeTemporary(t, 'list.txt', lines.join('\n'));
  for (const form of ['--json', '-q', '--csv']) {
    const few = await certpin('get', form, '--targets-file', list, '--concurrency', '3');
    const many = await certpin('get', form, '--targets-file', list, '--concurrency', '32');
    assert.deepEqual({ form, ...many }, { form, ...few });
    assert.equal(many.code, 2);
  }
});
