import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { describe, type TestContext, test } from 'node:test';
import { certificateHex, failureOf, type Minted, mint, startHttp2Server, startScriptedServer } from '@certpin/testkit';
import { pinnedHttp2 } from '../../src/adapters/http2.ts';
import { CertpinError, findCertpinError } from '../../src/index.ts';

const right = await mint();
const impostor = await mint();
const pins = certificateHex(right);

async function serve(t: TestContext, certificate: Minted = right) {
  const server = await startHttp2Server({ certificate });
  t.after(server.close);
  return { ...server, url: `https://127.0.0.1:${server.port}` };
}

function open(t: TestContext, url: string | URL, more: object = {}): ClientHttp2Session {
  const session = connect(url, { ...more, ...pinnedHttp2({ pins }) });
  session.on('error', () => undefined); // the server hangs up when the test ends
  t.after(() => session.destroy());
  return session;
}

async function post(session: ClientHttp2Session, body: string): Promise<string> {
  const stream = session.request({ ':method': 'POST', ':path': '/login' });
  stream.setEncoding('utf8').end(body);
  let answer = '';
  for await (const chunk of stream) answer += chunk;
  return answer;
}

test('the pinned server answers many requests over one connection, in HTTP/2', async (t) => {
  const { url, handshakes } = await serve(t);
  const session = open(t, url);
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => post(session, String(index))));
  assert.deepEqual(
    answers,
    Array.from({ length: 20 }, (_, index) => `POST /login ${index}`),
  );
  assert.equal(session.alpnProtocol, 'h2');
  assert.equal(session.encrypted, true);
  assert.equal(handshakes(), 1);
});

test('a megabyte passes both ways', async (t) => {
  const { url } = await serve(t);
  const body = 'x'.repeat(1_000_000);
  assert.equal((await post(open(t, url), body)).length, body.length + 'POST /login '.length);
});

test('another server gets not even the preface; the session has the error, and what waits for it has it as its cause', async (t) => {
  const { url, received } = await serve(t, impostor);
  const session = open(t, url);
  const failed = once(session, 'error');
  const requests = [post(session, 'secret'), post(session, 'another')].map(failureOf);
  const [error] = await failed;
  assert.ok(error instanceof CertpinError);
  assert.equal(error.code, 'ERR_PIN_MISMATCH');
  for (const request of await Promise.all(requests)) {
    assert.equal(request.code, 'ERR_HTTP2_STREAM_CANCEL');
    assert.equal(request.cause, error);
    assert.equal(findCertpinError(request), error);
  }
  // Node throws it, or emits it, with its version.
  const late = await failureOf(post(session, 'secret'));
  assert.equal(late.code, 'ERR_HTTP2_INVALID_SESSION');
  assert.equal(late.cause, undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(received(), 0);
});

test('options beside ours cannot switch the pin off', async (t) => {
  const { url, received } = await serve(t, impostor);
  const session = open(t, url, { rejectUnauthorized: false, checkServerIdentity: () => undefined });
  const [error] = await once(session, 'error');
  assert.equal(error.code, 'ERR_PIN_MISMATCH');
  assert.equal(received(), 0);
});

test('an http: authority is refused, and nothing is opened', async (t) => {
  const plain = await startScriptedServer(() => undefined);
  t.after(plain.close);
  assert.throws(() => connect(`http://127.0.0.1:${plain.port}`, { ...pinnedHttp2({ pins }) }), {
    code: 'ERR_PLAINTEXT_REFUSED',
  });
  assert.equal(plain.received().length, 0);
});

test('a name is dialled and sent as the server name; a URL object works', async (t) => {
  const { port, servernames } = await serve(t);
  assert.equal(await post(open(t, new URL(`https://localhost:${port}`)), 'x'), 'POST /login x');
  assert.deepEqual(servernames, ['localhost']);
});

describe('a configuration that cannot be used is refused at once', () => {
  const cases: [string, object, RegExp][] = [
    ['verification switched off', { rejectUnauthorized: false }, /the pin decides/],
    ['a misspelt TLS option', { certt: 'x' }, /did you mean `cert`\?/],
    ['a session', { session: Buffer.alloc(1) }, /resumed/],
  ];
  for (const [name, tls, message] of cases) {
    test(name, () => {
      assert.throws(() => pinnedHttp2({ pins }, tls), { code: 'ERR_OPTION_INVALID', message });
    });
  }

  test('no pin', () => {
    assert.throws(() => pinnedHttp2({} as never), { code: 'ERR_OPTION_INVALID' });
  });
});
