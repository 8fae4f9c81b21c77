import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mysqlError, mysqlGreeting, mysqlOk, mysqlPacket } from '@certpin/testkit/mysql-script';
import fc from 'fast-check';
import { CertpinError } from '../../src/index.ts';
import type { UpgradeStep } from '../../src/protocols/contract.ts';
import { createMysqlMediation, createMysqlUpgrade } from '../../src/protocols/mysql.ts';

const GREETING = mysqlGreeting();
const NO_TLS = mysqlGreeting({ tls: false });
const TURNED_AWAY = mysqlError(1040, 'Too many connections');
const SSL = 0x800;

/** The driver's answer: capabilities, packet size, character set, filler, MariaDB's capabilities; then what is secret. */
function response(sequence = 1, capabilities = 0x81bea20d & ~SSL): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(capabilities >>> 0, 0);
  head.writeUInt32LE(0x100_0000, 4);
  head[8] = 45;
  head.writeUInt32LE(0x1d, 28);
  return mysqlPacket(sequence, Buffer.concat([head, Buffer.from('login\0\x14token-of-the-password\0users\0')]));
}

/** A mediation and what came of it. `answer`: what the driver writes as soon as it has read the greeting; `kept`: what is sent in its place. */
function mediate(answer: Buffer | undefined = response()) {
  const shown: (Buffer | null)[] = [];
  const steps: UpgradeStep[] = [];
  const kept: Buffer[] = [];
  const push = (bytes: Uint8Array | null): void => {
    shown.push(bytes && Buffer.from(bytes));
    if (answer !== undefined) kept.push(Buffer.from(mediation.fromDriver(answer)));
  };
  const mediation = createMysqlMediation(push);
  mediation.attach((step) => steps.push(step));
  return { mediation, shown, steps, kept };
}

/** A mediation after the verdict. */
function loggingIn() {
  const { mediation, steps, kept } = mediate();
  mediation.receive(GREETING);
  return { mediation, steps, released: Buffer.concat(kept) };
}

/** Feeds the pieces one after the other; the result of the last. */
function feed<Result>(receive: (bytes: Uint8Array) => Result, pieces: readonly Uint8Array[]): Result[] {
  return pieces.map((piece) => receive(piece));
}

function split(bytes: Buffer, at: number): Buffer[] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

const bytewise = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.of(byte));

describe('without a driver', () => {
  const request = Buffer.from(['20000001', '008a0800', '00000001', '2d', '00'.repeat(23)].join(''), 'hex');

  test('the server speaks first; the answer is an SSLRequest that names nobody, and TLS', () => {
    assert.equal(createMysqlUpgrade().opening, undefined);
    const step = createMysqlUpgrade().receive(GREETING);
    assert.equal(step.next, 'tls');
    assert.equal(Buffer.from((step as { bytes: Uint8Array }).bytes).toString('hex'), request.toString('hex'));
  });

  test('a greeting may come in any two pieces, and byte by byte', () => {
    for (let at = 0; at <= GREETING.length; at++) {
      const { receive } = createMysqlUpgrade();
      assert.equal(feed(receive, split(GREETING, at)).filter(({ next }) => next === 'tls').length, 1, `at ${at}`);
    }
    const steps = feed(createMysqlUpgrade().receive, bytewise(GREETING));
    assert.deepEqual(
      steps.map(({ next }) => next),
      [...steps.slice(1).map(() => 'wait'), 'tls'],
    );
  });

  test('an error in place of the greeting: its number is shown, its text is not', () => {
    assert.throws(
      () => createMysqlUpgrade().receive(TURNED_AWAY),
      (error: CertpinError) => {
        assert.equal(error.code, 'ERR_UPGRADE_UNEXPECTED');
        assert.match(error.message, /error 1040/);
        assert.ok(!error.message.includes('Too many'));
        return true;
      },
    );
    assert.throws(() => createMysqlUpgrade().receive(mysqlPacket(0, Buffer.of(0xff))), /with error before/);
  });

  const hostile: [string, Buffer, string][] = [
    ['no TLS', NO_TLS, 'ERR_UPGRADE_REFUSED'],
    ['a byte behind the greeting', Buffer.concat([GREETING, Buffer.of(0)]), 'ERR_UPGRADE_INJECTED'],
    ['an OK behind the greeting', Buffer.concat([GREETING, mysqlOk(2)]), 'ERR_UPGRADE_INJECTED'],
    ['a second greeting', Buffer.concat([GREETING, GREETING]), 'ERR_UPGRADE_INJECTED'],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'ERR_UPGRADE_UNEXPECTED'],
    ['a TLS record', Buffer.from('16030100020228', 'hex'), 'ERR_UPGRADE_UNEXPECTED'],
    ['an empty packet', Buffer.from('00000000', 'hex'), 'ERR_UPGRADE_UNEXPECTED'],
    ['16 MB to come', Buffer.from('ffffff000a', 'hex'), 'ERR_UPGRADE_UNEXPECTED'],
    ['an OK', mysqlOk(0), 'ERR_UPGRADE_UNEXPECTED'],
    ['protocol 9', mysqlPacket(0, Buffer.from('\t3.20\0')), 'ERR_UPGRADE_UNEXPECTED'],
    ['another sequence number', Buffer.from(GREETING).fill(7, 3, 4), 'ERR_UPGRADE_UNEXPECTED'],
    ['a greeting that ends early', mysqlPacket(0, GREETING.subarray(4, 40)), 'ERR_UPGRADE_UNEXPECTED'],
    ['a version without end', mysqlPacket(0, Buffer.from(`\n${'8'.repeat(80)}`)), 'ERR_UPGRADE_UNEXPECTED'],
  ];
  for (const [what, bytes, code] of hostile) {
    test(`${what} is refused, whole and byte by byte, and a driver is shown nothing of it`, () => {
      assert.throws(() => createMysqlUpgrade().receive(bytes), { code });
      assert.throws(() => feed(createMysqlUpgrade().receive, bytewise(bytes)), { code });
      const { mediation, shown, steps } = mediate();
      assert.throws(() => mediation.receive(bytes), { code });
      assert.deepEqual([shown, steps], [[], []]);
    });
  }

  test('what an unverified server says is printable, bounded, and said to be its words', () => {
    const said = `\x1b[2J\r\nok\0\u202e\uffff${'A'.repeat(4_000)}`;
    const turnedAway = mediate();
    turnedAway.mediation.receive(mysqlError(1045, said));
    const [shown] = turnedAway.shown;
    assert.match(
      String(shown?.toString('latin1', 7)),
      /^an unverified server says, before TLS: \?\[2J\?\?ok\?{7}A{240}$/,
    );
    assert.equal(shown?.readUIntLE(0, 3), Number(shown?.length) - 4);
    assert.equal(shown?.readUInt16LE(5), 1045);

    const hostile = Buffer.from(GREETING);
    hostile.write('\x1b\x07\x9b', 5, 'latin1');
    hostile.write('\x1b\r\n', hostile.length - 10, 'latin1');
    const greeted = mediate();
    greeted.mediation.receive(hostile);
    const expected = Buffer.from(GREETING);
    expected.write('???', 5);
    expected.write('???', expected.length - 10);
    assert.deepEqual(greeted.shown, [expected]);
  });

  test('a version or a plugin of hundreds of characters is no greeting, nor is one before 4.1', () => {
    const versionEnd = GREETING.indexOf(0, 5);
    const longVersion = Buffer.concat([Buffer.from(`\n${'8'.repeat(256)}`), GREETING.subarray(versionEnd)]);
    const longPlugin = Buffer.concat([GREETING.subarray(4, -1), Buffer.from('x'.repeat(256))]);
    const old = Buffer.from(GREETING.subarray(4));
    old.writeUInt8(0, versionEnd - 4 + 15);
    for (const payload of [longVersion, longPlugin, old]) {
      assert.throws(() => mediate().mediation.receive(mysqlPacket(0, payload)), {
        code: /ERR_UPGRADE_(UNEXPECTED|REFUSED)/,
      });
    }
  });

  test('bytes behind an error are an injection too', () => {
    const bytes = Buffer.concat([TURNED_AWAY, Buffer.of(0)]);
    assert.throws(() => createMysqlUpgrade().receive(bytes), { code: 'ERR_UPGRADE_INJECTED' });
    assert.throws(() => mediate().mediation.receive(bytes), { code: 'ERR_UPGRADE_INJECTED' });
  });

  test('whatever the server says, in whatever pieces: TLS begins, it is waited for more, or it is a refusal', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 128 }),
      fc.uint8Array({ maxLength: 96 }).map((payload) => mysqlPacket(0, Buffer.concat([Buffer.of(10), payload]))),
      // A real greeting with one byte changed.
      fc
        .tuple(fc.nat(GREETING.length - 1), fc.nat(255))
        .map(([at, value]) => Buffer.from(GREETING).fill(value, at, at + 1)),
    );
    fc.assert(
      fc.property(anything, fc.nat(128), (bytes, at) => {
        try {
          const [first, second] = feed(createMysqlUpgrade().receive, split(Buffer.from(bytes), at));
          const next = [first?.next, second?.next];
          assert.ok(next.every((one) => one === 'wait' || one === 'tls'));
          if (next.includes('tls')) assert.equal(bytes[4], 10);
        } catch (error) {
          assert.ok(error instanceof CertpinError, String(error));
          assert.match(error.code, /^ERR_UPGRADE_/);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('in the place of a driver', () => {
  test('the driver reads the greeting as it is, and its answer becomes an SSLRequest without a name', () => {
    const { mediation, shown, steps } = mediate();
    assert.deepEqual(mediation.receive(GREETING), { next: 'wait', isOver: false });
    assert.deepEqual(shown, [GREETING]);
    assert.equal(steps.length, 1);
    const [step] = steps as [{ next: string; bytes: Uint8Array }];
    assert.equal(step.next, 'tls');
    const sent = Buffer.from(step.bytes);
    const expected = mysqlPacket(1, response().subarray(4, 36));
    expected.writeUInt16LE(expected.readUInt16LE(4) | SSL, 4);
    assert.equal(sent.toString('hex'), expected.toString('hex'));
    assert.ok(!sent.includes('login') && !sent.includes('token'));
  });

  test('after the verdict the answer follows, with CLIENT_SSL and the next number', () => {
    const { released } = loggingIn();
    const expected = response(2);
    expected.writeUInt16LE(expected.readUInt16LE(4) | SSL, 4);
    assert.equal(released.toString('hex'), expected.toString('hex'));
  });

  test('the answer may come in any two pieces', () => {
    const whole = response();
    for (let at = 0; at <= whole.length; at++) {
      const { mediation, steps } = mediate(Buffer.alloc(0));
      mediation.receive(GREETING);
      const sent: number[] = [];
      for (const piece of split(whole, at)) {
        if (steps.length === 0) sent.push(mediation.fromDriver(piece).length);
      }
      assert.equal(steps.length, 1, `at ${at}`);
      assert.deepEqual([...sent.slice(0, -1), sent.at(-1)], [...sent.slice(1).map(() => 0), whole.length], `at ${at}`);
    }
  });

  test('a server that speaks on before the driver has answered is refused', () => {
    const { mediation, steps } = mediate(Buffer.alloc(0));
    mediation.receive(GREETING);
    assert.throws(() => mediation.receive(mysqlOk(2)), { code: 'ERR_UPGRADE_INJECTED' });
    assert.deepEqual(steps, []);
  });

  test('an error in place of the greeting is the driver’s to read, and what it says then goes nowhere', () => {
    const { mediation, shown, steps } = mediate();
    assert.deepEqual(mediation.receive(TURNED_AWAY), { next: 'wait', isOver: true });
    assert.deepEqual(shown, [mysqlError(1040, 'an unverified server says, before TLS: Too many connections'), null]);
    assert.equal(mediation.fromDriver(response()).length, 0);
    assert.deepEqual(steps, []);
  });

  const oddities: [string, Buffer][] = [
    ['protocol 3.20, where the user name begins at once', response(1, 0x85)],
    ['a name where zeros belong', Buffer.from(response()).fill('login', 14, 19)],
    ['an answer that is an SSLRequest itself', mysqlPacket(1, response().subarray(4, 36))],
    ['more than its answer', Buffer.concat([response(), mysqlPacket(0, Buffer.of(3))])],
    ['an answer of 16 MB', Buffer.from('ffffff01', 'hex')],
  ];
  for (const [what, bytes] of oddities) {
    test(`a driver that says ${what} is refused, and nothing is sent`, () => {
      const { mediation, steps } = mediate(Buffer.alloc(0));
      mediation.receive(GREETING);
      assert.throws(() => mediation.fromDriver(bytes), { code: 'ERR_CLIENT_UNSUPPORTED' });
      assert.deepEqual(steps, []);
    });
  }

  test('a driver that speaks before the greeting, or again before the verdict, is refused', () => {
    assert.throws(() => mediate().mediation.fromDriver(response()), { code: 'ERR_CLIENT_UNSUPPORTED' });
    const { mediation } = mediate();
    mediation.receive(GREETING);
    assert.throws(() => mediation.fromDriver(Buffer.of(1)), { code: 'ERR_CLIENT_UNSUPPORTED' });
  });

  test('a login is renumbered to its end, in any pieces, and nothing behind it', () => {
    const more = mysqlPacket(3, Buffer.from([1, 4]));
    const ok = mysqlOk(5);
    const rows = Buffer.concat([mysqlPacket(1, Buffer.of(1)), mysqlPacket(2, Buffer.from('column'))]);
    const fromServer = Buffer.concat([more, ok, rows]);
    const expected = Buffer.concat([mysqlPacket(2, Buffer.from([1, 4])), mysqlOk(4), rows]).toString('hex');
    for (let at = 0; at <= fromServer.length; at++) {
      const { mediation } = loggingIn();
      const read = feed((bytes) => mediation.fromServer(bytes), split(fromServer, at));
      assert.equal(Buffer.concat(read).toString('hex'), expected, `at ${at}`);
    }
    const { mediation } = loggingIn();
    const read = bytewise(more).map((byte) => mediation.fromServer(byte));
    assert.equal(Buffer.concat(read)[3], 2);
    const password = mysqlPacket(3, Buffer.from('hunter2\0'));
    const sent = bytewise(password).map((byte) => mediation.fromDriver(byte));
    assert.equal(Buffer.concat(sent).toString('hex'), mysqlPacket(4, Buffer.from('hunter2\0')).toString('hex'));
    mediation.fromServer(ok);
    const query = mysqlPacket(0, Buffer.from('\x03SELECT 1'));
    assert.deepEqual(Buffer.from(mediation.fromDriver(query)), query);
  });

  test('an error ends the login as well; an empty packet and a wrapped number do not', () => {
    const { mediation } = loggingIn();
    const empty = mysqlPacket(0, Buffer.alloc(0));
    assert.equal(Buffer.from(mediation.fromServer(empty))[3], 255);
    const denied = mysqlPacket(3, Buffer.from([0xff, 0x15, 0x04]));
    assert.equal(Buffer.from(mediation.fromServer(denied))[3], 2);
    assert.deepEqual(Buffer.from(mediation.fromServer(denied)), denied);
  });

  test('a packet of the login is of a bounded size, from either side', () => {
    const { mediation } = loggingIn();
    mediation.fromServer(mysqlPacket(3, Buffer.from([1, 4])));
    for (const from of ['fromDriver', 'fromServer'] as const)
      assert.throws(() => mediation[from](Buffer.from('ffffff03', 'hex')), { code: 'ERR_CLIENT_UNSUPPORTED' });
  });

  test('a driver that speaks on behind its answer, before the server has, is refused', () => {
    const { mediation } = loggingIn();
    assert.throws(() => mediation.fromDriver(Buffer.of(1)), { code: 'ERR_CLIENT_UNSUPPORTED' });
  });

  test('renumbering changes one byte of each packet, whatever the packets and the pieces', () => {
    const payload = fc.uint8Array({ minLength: 1, maxLength: 400 }).filter(([first]) => first !== 0 && first !== 0xff);
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 6 }), fc.array(fc.nat(2_000), { maxLength: 8 }), (payloads, cuts) => {
        const { mediation } = loggingIn();
        const wire = Buffer.concat(payloads.map((one, index) => mysqlPacket(index + 3, one)));
        const read: Uint8Array[] = [];
        let from = 0;
        for (const cut of [...cuts.filter((one) => one < wire.length).sort((a, b) => a - b), wire.length]) {
          read.push(mediation.fromServer(wire.subarray(from, cut)));
          from = cut;
        }
        const expected = Buffer.concat(payloads.map((one, index) => mysqlPacket(index + 2, one)));
        assert.deepEqual(Buffer.concat(read), expected);
      }),
    );
  });
});
