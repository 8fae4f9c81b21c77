import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CertpinError } from '../../src/index.ts';
import { createHttpConnect } from '../../src/protocols/http-connect.ts';

const server = { host: 'api.example.com', port: 443 };
const OK = 'HTTP/1.1 200 Connection established\r\nProxy-Agent: proxy/1.0\r\n\r\n';

const openingOf = (request: Parameters<typeof createHttpConnect>[0]): string =>
  Buffer.from(createHttpConnect(request).opening ?? []).toString('latin1');

/** What becomes of the pieces of an answer, fed one after the other. */
function answer(...pieces: string[]) {
  const protocol = createHttpConnect(server);
  return pieces.map((piece) => protocol.receive(Buffer.from(piece, 'latin1')).next).at(-1);
}

test('the request names host and port, in the spelling of a URL, and the login where there is one', () => {
  assert.equal(openingOf(server), 'CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n\r\n');
  assert.match(openingOf({ ...server, host: 'fd00::5' }), /^CONNECT \[fd00::5\]:443 /);
  assert.match(openingOf({ ...server, host: 'münchen.example' }), /^CONNECT xn--mnchen-3ya\.example:443 /);
  const login = openingOf({ ...server, authorization: 'Basic YTpi' });
  assert.equal(login, `${openingOf(server).slice(0, -2)}Proxy-Authorization: Basic YTpi\r\n\r\n`);
});

test('a host cannot end its line and begin another', () => {
  for (const host of ['a\r\nX: y', 'a\nb', 'a b', 'a/b', 'a@b', 'a:80', '', 'a\0']) {
    assert.throws(() => createHttpConnect({ host, port: 443 }), { code: 'ERR_OPTION_INVALID' }, JSON.stringify(host));
  }
});

test('TLS begins after any status of success, wherever the answer is cut', () => {
  const answers = [
    OK,
    'HTTP/1.0 200 OK\r\n\r\n',
    'HTTP/1.1 299\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
  ];
  for (const text of answers) {
    assert.equal(answer(text), 'tls');
    assert.equal(answer(...text), 'tls');
    for (let at = 1; at < text.length; at++) {
      const protocol = createHttpConnect(server);
      assert.equal(protocol.receive(Buffer.from(text.slice(0, at))).next, 'wait');
      assert.equal(protocol.receive(Buffer.from(text.slice(at))).next, 'tls');
    }
  }
});

test('a status of refusal is told with its meaning, and without the words of the answer', () => {
  for (const [status, meaning] of [
    [407, /demands a login/],
    [403, /does not allow/],
    [502, /could not reach/],
    [500, /500$/],
    [302, /302$/],
    [101, /101$/],
  ] as const) {
    assert.throws(
      () => answer(`HTTP/1.1 ${status} Evil words\r\nX: y\r\n\r\n<html>evil`),
      (error: CertpinError) =>
        error.code === 'ERR_PROXY_REFUSED' &&
        meaning.test(error.message) &&
        !/evil/i.test(error.message) &&
        (error.details as { status: number }).status === status,
    );
  }
});

test('bytes behind the consent are an injection, however they come', () => {
  assert.throws(() => answer(`${OK}\x16\x03\x03`), { code: 'ERR_UPGRADE_INJECTED' });
  assert.throws(() => answer(OK.slice(0, -1), '\nx'), { code: 'ERR_UPGRADE_INJECTED' });
});

test('bytes behind the consent are the greeting of a server that greets, to the byte', () => {
  const step = createHttpConnect({ ...server, greets: true }).receive(Buffer.from(`${OK}\x00\xff\r\n\r\n`, 'latin1'));
  assert.deepEqual(step, { next: 'tls', rest: Buffer.from('00ff0d0a0d0a', 'hex') });
});

test('what is no answer of a proxy is refused as soon as it shows', () => {
  for (const text of [
    'S',
    'SSH-2.0-x',
    '\x15\x03\x03\0\x02',
    'HTTP/2 200\r\n\r\n',
    'http/1.1 200 OK\r\n\r\n',
    '\r\n',
  ]) {
    assert.throws(() => answer(text), { code: 'ERR_UPGRADE_UNEXPECTED' }, JSON.stringify(text));
  }
  for (const text of [
    'HTTP/1.1 20\r\n\r\n',
    'HTTP/1.1 2000\r\n\r\n',
    'HTTP/1.1  200\r\n\r\n',
    'HTTP/1.1 abc\r\n\r\n',
  ]) {
    assert.throws(() => answer(text), { code: 'ERR_UPGRADE_UNEXPECTED' }, JSON.stringify(text));
  }
});

test('an answer without end is given up', () => {
  const protocol = createHttpConnect(server);
  protocol.receive(Buffer.from('HTTP/1.1 200 OK\r\n'));
  let sent = 0;
  assert.throws(
    () => {
      for (; sent < 100_000; sent += 1000) protocol.receive(Buffer.from(`X: ${'y'.repeat(995)}\r\n`));
    },
    { code: 'ERR_UPGRADE_UNEXPECTED' },
  );
  assert.ok(sent < 20_000);
});

test('whatever the proxy says, TLS begins after a whole answer of success only', () => {
  const word = fc.constantFrom('HTTP/1.1', 'HTTP/1.0', ' ', '200', '407', '\r\n', '\r\n\r\n', 'OK', 'X: y', '\0');
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 4 })), { maxLength: 12 }), (pieces) => {
      try {
        if (answer(...pieces) === 'tls') assert.match(pieces.join(''), /^HTTP\/1\.[01] 2\d\d( .*)?\r\n(.*\r\n)*\r\n$/s);
      } catch (error) {
        assert.ok(error instanceof CertpinError, String(error));
        assert.match(error.code, /^ERR_(UPGRADE|PROXY)_/);
      }
    }),
    { numRuns: 2000 },
  );
});
