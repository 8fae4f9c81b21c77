import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { certificateHex, credentials, mint } from '@certpin/testkit';
import { Certificate } from 'certpin';
import { probe } from 'certpin/probe';
import { cell, csvRows } from '../../src/answers/csv.ts';
import { showTarget } from '../../src/command-line/target.ts';
import { FileReader } from '../../src/files/file-reader.ts';
import { type FetchOptions, fetchAnswers } from '../../src/scan/fetch-answers.ts';
import { inOrder } from '../../src/scan/order.ts';
import { startPeer, startServer, writeTemporary } from '../peers.ts';
import { certpin, transcript } from '../transcript.ts';

const WIPE = '\r\u001B[2K';

test('--targets-file: one target a line, # comments; the arguments come first, a summary last', async (t) => {
  const first = await startServer(t);
  const second = await startServer(t);
  const list = writeTemporary(
    t,
    'hosts.txt',
    `# databases\r\n\r\n127.0.0.1:${second.port}   # the second\nnowhere.pem\n  # none\nhttps://127.0.0.1:${second.port}/x#y`,
  );
  const names = {
    PORT1: first.port,
    PORT2: second.port,
    HEX1: certificateHex(first.certificate),
    HEX2: certificateHex(second.certificate),
    LIST: list,
  };
  assert.equal(
    await transcript('get --format hex 127.0.0.1:PORT1 --targets-file LIST', names),
    `HEX1
HEX2
HEX2
2> certpin: error: nowhere.pem: no such file
2> certpin: summary: 4 targets, 3 read, 1 failed (ENOENT 1)
exit 2`,
  );
});

test('--targets-file -: standard input, which is answered as it comes', async (t) => {
  const server = await startServer(t);
  const names = { PORT: server.port, HEX: certificateHex(server.certificate) };
  const stdin = Readable.from([`127.0.0.1:${server.port}\n127.0.0.`, `1:${server.port} # again\n`]);
  assert.equal(
    await transcript('get --format hex --targets-file -', names, { stdin }),
    'HEX\nHEX\n2> certpin: summary: 2 targets, 2 read\nexit 0',
  );
});

test('lists that cannot be used: exit 2', async (t) => {
  const empty = writeTemporary(t, 'hosts.txt', '# nothing yet\n');
  assert.equal(
    await transcript('get --targets-file EMPTY', { EMPTY: empty }),
    '2> certpin: summary: 0 targets, 0 read\n2> certpin: error: there is no target in the list\nexit 2',
  );
  assert.equal(
    await transcript('get --targets-file nowhere.txt'),
    '2> certpin: error: nowhere.txt: no such file\nexit 2',
  );
  const mistakes = {
    '--concurrency 0': '--concurrency takes a number from 1 to 1000',
    '--concurrency all': '--concurrency takes a number from 1 to 1000',
    '--retries -1': '--retries takes a number from 0 to 10',
    '--total-timeout soon': '--total-timeout takes a number of seconds, up to 86400; 0 for no limit',
    '--csv --json': "option '--csv' cannot be used with option '--json'",
    '--format env --env-name X --targets-file -': '--env-name is the name of one target',
  };
  for (const [flags, error] of Object.entries(mistakes)) {
    assert.equal(
      await transcript(`get x.pem ${flags}`),
      `2> certpin: error: ${error}\n2> certpin: hint: certpin help get\nexit 2`,
    );
  }
});

test('--csv: one row for each target, with --chain one for each presented certificate', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Root' }); // not sent
  const issuer = await mint({ ca: true, subject: 'CN=Issuer', issuer: root });
  const certificate = await mint({ subject: 'CN=a', names: ['a.example', 'b.example'], issuer });
  const server = await startServer(t, certificate);
  const target = `127.0.0.1:${server.port}`;
  const { stdout, stderr, code } = await certpin(['get', '--csv', '--chain', target, 'nowhere.pem']);
  const [header = '', own = '', ca = '', failed = '', end] = stdout.split('\r\n');
  assert.match(header, /^target,protocol,ok,position,certificate_sha256,.*,error_message,address$/);
  assert.ok(own.startsWith(`${target},tls,true,0,${certificateHex(certificate)},`), own);
  assert.match(own, /,CN=a,CN=Issuer,"DNS:a\.example, DNS:b\.example",20/);
  assert.ok(ca.startsWith(`${target},tls,true,1,${certificateHex(issuer)},`), ca);
  assert.match(failed, /^nowhere\.pem,file,false,,,,,,,,,,ENOENT,"?ENOENT/);
  assert.deepEqual({ end, stderr, code }, { end: '', stderr: '', code: 2 });
});

test('--csv: RFC 4180, and no cell that a spreadsheet takes for a formula', async () => {
  const formula = '=HYPERLINK("http://evil.example","ok")';
  const certificate = new Certificate((await mint()).x509.raw).toJSON();
  const named = { ...certificate, subject: formula, issuer: '@SUM(1,2)', subjectAltNames: ['+1'] };
  const place = { host: null, port: null };
  const where = { address: null, otherAddresses: [], tlsVersion: null };
  const about = { target: '-1', protocol: 'tls', detected: false, ...place, ...where } as const;
  const [row] = csvRows({ ...about, ok: true, certificate: named, chain: [] }, false);
  assert.match(row ?? '', /^'-1,tls,true,/);
  assert.match(row ?? '', /,"'=HYPERLINK\(""http:\/\/evil\.example"",""ok""\)","'@SUM\(1,2\)",'\+1,/);
  // Another spreadsheet parts the cells at another sign, and knows nothing of our quotation marks then.
  const signs = ['=', '+', '-', '@', '\uFF1D', '\uFF0B', '\uFF0D', '\uFF20'];
  const separators = [
    ';',
    '\t',
    '\r',
    '\n',
    '\r\n',
    ',',
    '|',
    ':',
    ' ',
    '\u00A0',
    '\uFF1B',
    '\uFF0C',
    '"',
    ';"',
    '; ',
    ';\t ',
    ';""',
  ];
  for (const sign of signs) {
    for (const separator of ['', ...separators]) {
      const text = cell(`${separator === '' ? '' : 'CN=x'}${separator}${sign}1+1`);
      assert.doesNotMatch(
        text,
        new RegExp(`(?:^|[;,|:"\uFF1B\uFF0C]|\\s)${sign === '+' ? '\\+' : sign}1`),
        JSON.stringify(text),
      );
    }
  }
  for (const harmless of ['CN=a-b, O=x+y', 'a - b', 'a@b.example', '2026-01-01T00:00:00Z', 'sha256/a+b=']) {
    assert.equal(cell(harmless).replaceAll('"', ''), harmless);
  }
  const error = { code: 'E', message: 'two\nlines, "quoted"' };
  const [failed] = csvRows({ target: 'a', protocol: null, ...place, ok: false, error }, false);
  assert.ok(failed?.endsWith(',E,"two\nlines, ""quoted""",'), failed);
});

test('--retries: asked again after a failure of the network, not after an answer', async (t) => {
  const certificate = await mint();
  let connections = 0;
  const serve = (socket: Socket): void => {
    const secure = new TLSSocket(socket, { isServer: true, ...credentials(certificate) });
    secure.on('error', () => undefined);
  };
  const { port } = await startFlaky(t, (socket) => (connections++ < 2 ? socket.destroy() : serve(socket)));
  const names = { PORT: port, HEX: certificateHex(certificate) };
  assert.match(await transcript('get -q 127.0.0.1:PORT --retries 1', names), /exit 2$/);
  connections = 0;
  assert.equal(await transcript('get -q 127.0.0.1:PORT --retries 2', names), 'HEX\nexit 0');
  assert.equal(connections, 3);
  const refusing = await startPeer(t, (socket) => socket.end('N'));
  await certpin(['get', `postgres://127.0.0.1:${refusing.port}`, '--retries', '5']);
  assert.equal(refusing.received.length, 1);
});

/** A server that decides about each connection when it is made. */
async function startFlaky(t: TestContext, accept: (socket: Socket) => void): Promise<{ port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    accept(socket);
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port };
}

test('--protocol: a failure names it, as the library does', async () => {
  const { stdout } = await certpin(['get', '--json', '127.0.0.1:1', '--protocol', 'smtp']);
  assert.deepEqual(JSON.parse(stdout), await probe('127.0.0.1:1', { protocol: 'smtp' }));
  assert.equal(JSON.parse(stdout).protocol, 'smtp');
});

test('--concurrency: that many servers at a time, and never more', async (t) => {
  const open = new Set<Socket>();
  let most = 0;
  const { port } = await startPeer(t, (socket) => {
    most = Math.max(most, open.add(socket).size);
    socket.once('close', () => open.delete(socket));
  });
  const targets = Array.from({ length: 9 }, () => `127.0.0.1:${port}`);
  const { stdout } = await certpin(['get', '--json', ...targets, '--concurrency', '3', '--timeout', '0.3']);
  assert.equal(stdout.match(/ERR_CONNECT_TIMEOUT/g)?.length, 9);
  assert.equal(most, 3);
});

test('--total-timeout: what is there is printed, what is under way ends, nothing else is begun', async (t) => {
  const server = await startServer(t);
  const slow = await startPeer(t, () => undefined);
  const names = { PORT: server.port, HEX: certificateHex(server.certificate), SLOW: slow.port };
  const said = await transcript(
    'get -q tls://127.0.0.1:PORT tls://127.0.0.1:SLOW tls://127.0.0.1:SLOW tls://127.0.0.1:PORT --concurrency 1 --total-timeout 2',
    names,
  );
  assert.match(
    said,
    /^HEX\n2> certpin: error: tls:\/\/127\.0\.0\.1:SLOW: no answer within 2000 ms, the time for all targets together\n(?:2> certpin: hint: .*\n)2> certpin: summary: 2 targets, 1 read, 1 failed \(ERR_CONNECT_TIMEOUT 1\); the others were not waited for\n2> certpin: error: the total time was over before every target was asked\nexit 2$/,
  );
  assert.equal(slow.received.length, 1);
});

test('--total-timeout does not wait for a file on standard input that never ends', async () => {
  const { stdout, code } = await certpin(['get', '-', '--json', '--total-timeout', '0.2'], {
    stdin: new Readable({ read: () => undefined }),
  });
  assert.match(stdout, /^{"target":"-","protocol":"file",.*"code":"ERR_CONNECT_TIMEOUT"/);
  assert.equal(code, 2);
});

test('--total-timeout does not wait for a line of standard input that never comes', async () => {
  const { code } = await certpin(['get', '--targets-file', '-', '--total-timeout', '0.2'], {
    stdin: new Readable({ read: () => undefined }),
  });
  assert.equal(code, 2);
});

test('Ctrl-C: the answers that are there are printed, exit 130', async (t) => {
  const server = await startServer(t);
  const interrupt = new AbortController();
  const slow = await startPeer(t, () => interrupt.abort());
  const names = { PORT: server.port, HEX: certificateHex(server.certificate), SLOW: slow.port };
  assert.equal(
    await transcript('get -q 127.0.0.1:PORT 127.0.0.1:SLOW 127.0.0.1:PORT --concurrency 1', names, {
      interrupt: interrupt.signal,
    }),
    'HEX\n2> certpin: summary: 1 target, 1 read; the others were not waited for\nexit 130',
  );
});

test('a bar on a terminal: for a list, and for more targets than are asked at the same time', async (t) => {
  const slow = await startPeer(t, () => undefined);
  const target = `127.0.0.1:${slow.port}`;
  const flags = ['--timeout', '0.5', '--json', '--concurrency', '1'];
  const terminal = await certpin(['get', target, target, ...flags], { terminal: true });
  const [none, half] = [`[${'-'.repeat(24)}] 0/2`, `[${'#'.repeat(12)}${'-'.repeat(12)}] 1/2, 1 failed`];
  assert.equal(terminal.stderr, `${none}${WIPE}${half}${WIPE}`);
  const stdin = Readable.from([`${target}\n${target}\n`]);
  const unknown = await certpin(['get', '--targets-file', '-', ...flags], { terminal: true, stdin });
  assert.ok(unknown.stderr.startsWith(`0 done${WIPE}1 done, 1 failed${WIPE}certpin: summary: 2 targets`));
  const piped = await certpin(['get', target, target, ...flags]);
  assert.equal(piped.stderr, '');
});

test('the order is that of the targets, until 256 answers wait for one', async () => {
  const collect = async (indices: readonly number[]): Promise<number[]> => {
    const items = (async function* () {
      for (const index of indices) yield { index };
    })();
    const seen: number[] = [];
    for await (const { index } of inOrder(items)) seen.push(index);
    return seen;
  };
  assert.deepEqual(await collect([2, 0, 1, 4, 3]), [0, 1, 2, 3, 4]);
  const others = Array.from({ length: 400 }, (_, index) => index + 1);
  assert.deepEqual(await collect([...others.slice(0, 256), 0, ...others.slice(256)]), [0, ...others]);
  assert.deepEqual(await collect([...others.slice(0, 257), 0, ...others.slice(257)]), [
    ...others.slice(0, 257),
    0,
    ...others.slice(257),
  ]);
  assert.deepEqual(await collect([5, 3]), [3, 5]);
});

test('a slow reader slows the scan down: nothing piles up', async () => {
  let taken = 0;
  const targets = (async function* () {
    for (; taken < 5000; taken++) yield { target: showTarget(`nowhere-${taken}.pem`) };
  })();
  const { signal } = new AbortController();
  const files = new FileReader({}, {} as never); // it is not asked for a password
  const options: FetchOptions = { concurrency: 16, signal, format: undefined, files };
  let seen = 0;
  for await (const { failure } of fetchAnswers(targets, options)) {
    seen++;
    if (seen % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(failure?.code, 'ENOENT');
    assert.ok(taken - seen <= 2 * 16, `${taken - seen} targets were ahead of the reader`);
  }
  assert.equal(seen, 5000);
});
