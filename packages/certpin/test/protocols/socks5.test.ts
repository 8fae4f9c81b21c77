import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CertpinError } from '../../src/index.ts';
import { createSocks5 } from '../../src/protocols/socks5.ts';

const server = { host: 'db.example.com', port: 5432 };
const login = { user: 'me', password: 'secret' };
const OK = '05000001000000000000';

/** Feeds answers, each in the given pieces; what the client said, and how it ended. */
function talk(request: Parameters<typeof createSocks5>[0], ...answers: string[]) {
  const protocol = createSocks5(request);
  const said = [Buffer.from(protocol.opening ?? []).toString('hex')];
  let last = 'wait';
  for (const answer of answers) {
    const step = protocol.receive(Buffer.from(answer, 'hex'));
    last = step.next;
    if (step.next === 'send') said.push(Buffer.from(step.bytes).toString('hex'));
  }
  return { said, last };
}

const bytewise = (hex: string): string[] => hex.match(/../g) ?? [];

test('without a login: one method is offered, and the proxy is told name and port', () => {
  const name = Buffer.from(server.host).toString('hex');
  const expected = { said: ['050100', `050100030e${name}1538`], last: 'tls' };
  assert.deepEqual(talk(server, '0500', OK), expected);
  assert.deepEqual(talk(server, ...bytewise(`0500`), ...bytewise(OK)), expected);
});

test('with a login, where the proxy asks for it, and without, where it does not', () => {
  const [methods, credentials] = talk({ ...server, login }, '0502', '0100', OK).said;
  assert.deepEqual([methods, credentials], ['05020002', `01026d6506${Buffer.from('secret').toString('hex')}`]);
  const open = talk({ ...server, login }, '0500', OK);
  assert.equal(open.last, 'tls');
  assert.ok(!open.said.join('').includes(Buffer.from('secret').toString('hex')));
});

test('addresses are sent as addresses', () => {
  const asked = (host: string): string => talk({ host, port: 1 }, '0500').said[1] ?? '';
  assert.equal(asked('192.0.2.1'), '05010001c00002010001');
  assert.equal(asked('2001:db8::1'), `05010004${'20010db8000000000000000000000001'}0001`);
  assert.equal(asked('[::1]'), `05010004${'0'.repeat(31)}10001`);
  assert.equal(asked('::ffff:192.0.2.1'), `05010004${'0'.repeat(20)}ffffc00002010001`);
  assert.match(asked('münchen.example'), new RegExp(Buffer.from('xn--mnchen-3ya').toString('hex')));
});

test('the address in the answer may be of every kind, wherever the answer is cut', () => {
  for (const reply of [OK, `05000004${'00'.repeat(18)}`, '0500000303616263ffff', '05000003000000']) {
    for (let at = 0; at < reply.length; at += 2) {
      assert.equal(talk(server, '0500', reply.slice(0, at), reply.slice(at)).last, 'tls');
    }
  }
});

test('refusals are told with their meaning', () => {
  const refusals: [request: typeof server & { login?: typeof login }, answers: string[], message: RegExp][] = [
    [server, ['05ff'], /demands a login/],
    [{ ...server, login }, ['05ff'], /another login/],
    [{ ...server, login }, ['0502', '0101'], /refuses this user name/],
    [server, ['0500', '0505'], /refused its connection/],
    [server, ['0500', '0502'], /does not allow/],
    [server, ['0500', '05aa'], /no reason/],
  ];
  for (const [request, answers, message] of refusals) {
    assert.throws(
      () => talk(request, ...answers),
      (error: CertpinError) => {
        assert.equal(error.code, 'ERR_PROXY_REFUSED');
        assert.match(error.message, message);
        return !/secret/.test(error.message);
      },
    );
  }
});

test('bytes that were not asked for are an injection, at every step', () => {
  for (const answers of [['050000'], ['0500', `${OK}16`]]) {
    assert.throws(() => talk(server, ...answers), { code: 'ERR_UPGRADE_INJECTED' });
  }
  assert.throws(() => talk({ ...server, login }, '0502', '010005'), { code: 'ERR_UPGRADE_INJECTED' });
});

test('bytes behind the consent are the greeting of a server that greets, and of no other step', () => {
  const protocol = createSocks5({ ...server, greets: true });
  protocol.receive(Buffer.from('0500', 'hex'));
  const step = protocol.receive(Buffer.from(`${OK}00ff`, 'hex'));
  assert.deepEqual(step, { next: 'tls', rest: Buffer.from('00ff', 'hex') });
  const early = createSocks5({ ...server, greets: true });
  assert.throws(() => early.receive(Buffer.from('050000', 'hex')), { code: 'ERR_UPGRADE_INJECTED' });
});

test('what is no SOCKS5 is refused as soon as it shows', () => {
  for (const answers of [
    ['04'],
    ['48'],
    ['0502'],
    ['0503'],
    ['0500', '04'],
    ['0500', '05000002'],
    ['0500', '050001'],
  ]) {
    assert.throws(() => talk(server, ...answers), { code: 'ERR_UPGRADE_UNEXPECTED' }, answers.join());
  }
});

test('what the protocol cannot carry is refused before anything is opened', () => {
  for (const host of ['', 'a b', 'a/b', 'a\r\nb', `${'a.'.repeat(140)}b`]) {
    assert.throws(() => createSocks5({ host, port: 1 }), { code: 'ERR_OPTION_INVALID' }, host);
  }
  for (const wrong of [
    { user: '', password: 'x' },
    { user: 'x'.repeat(256), password: 'x' },
  ]) {
    assert.throws(() => createSocks5({ ...server, login: wrong }), { code: 'ERR_OPTION_INVALID' });
  }
});

test('whatever the proxy says, TLS begins after its consent only', () => {
  const piece = fc.oneof(
    fc.constantFrom('0500', '0502', '0100', OK, '05'),
    fc.uint8Array({ maxLength: 3 }).map((b) => Buffer.from(b).toString('hex')),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      try {
        if (talk(server, ...pieces).last === 'tls') assert.match(pieces.join(''), /^0500050000(01|03|04)/);
      } catch (error) {
        assert.ok(error instanceof CertpinError && /^ERR_(UPGRADE|PROXY)_/.test(error.code), String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
