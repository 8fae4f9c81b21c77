// The name of a MongoDB cluster: its servers stand in DNS, which anybody may have written.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certificateHex, mint, startAddresses } from '@certpin/testkit';
import { parseTarget, probe, type ResolveSrv, scan, targetsOf } from '../../src/probe/index.ts';

const CLUSTER = 'mongodb+srv://app:hunter2@cluster.example.com/app?retryWrites=true';

/** A name server with these records, which keeps what it was asked. */
function nameServer(records: readonly (readonly [name: string, port: number])[]) {
  const asked: string[] = [];
  const resolveSrv: ResolveSrv = (name, done) => {
    asked.push(name);
    setImmediate(() =>
      done(
        null,
        records.map(([host, port]) => ({ name: host, port, priority: 0, weight: 0 })),
      ),
    );
  };
  return { asked, resolveSrv };
}

describe('the servers of a cluster', () => {
  test('are those of its SRV records, each once, and are themselves targets', async () => {
    const { asked, resolveSrv } = nameServer([
      ['a.example.com', 27017],
      ['B.Example.com.', 27018],
      ['a.example.com', 27017],
    ]);
    const found = await targetsOf(CLUSTER, { resolveSrv });
    assert.deepEqual(asked, ['_mongodb._tcp.cluster.example.com']);
    assert.deepEqual(found, [
      parseTarget('mongodb://a.example.com:27017'),
      parseTarget('mongodb://b.example.com:27018'),
    ]);
    assert.deepEqual(await targetsOf('db.example.com:5432'), [parseTarget('db.example.com:5432')]);
  });

  test('are asked for under the name of their service', async () => {
    const { asked, resolveSrv } = nameServer([['a.example.com', 1]]);
    await targetsOf('mongodb+srv://cluster.example.com/?srvServiceName=own', { resolveSrv });
    assert.deepEqual(asked, ['_own._tcp.cluster.example.com']);
  });

  const outside: [string, string][] = [
    ['cluster.example.com', 'evil.example'],
    ['cluster.example.com', 'a.evilexample.com'],
    ['cluster.example.com', 'example.com'],
    ['cluster.example.com', 'a.example.com.evil.example'],
    ['a.cluster.example.com', 'b.example.com'],
    ['example.com', 'example.com'],
    ['example.com', 'a.other.com'],
    ['cluster.example.com', ''],
  ];
  for (const [cluster, host] of outside) {
    test(`outside of its domain are refused, all of them: ${cluster} leads to ${host || 'nobody'}`, async () => {
      const { resolveSrv } = nameServer([
        [`good.${cluster}`, 27017],
        [host, 27017],
      ]);
      await assert.rejects(targetsOf(`mongodb+srv://me:hunter2@${cluster}`, { resolveSrv }), (error: Error) => {
        assert.match(error.message, /leads outside of (?:cluster\.)?example\.com, .*mongodb:\/\/host:port$/);
        assert.ok(!/evil|hunter2/.test(error.message));
        return true;
      });
    });
  }

  test('in a domain of two labels have one more', async () => {
    const { resolveSrv } = nameServer([['a.example.com', 27017]]);
    assert.equal((await targetsOf('mongodb+srv://example.com', { resolveSrv })).length, 1);
  });

  for (const host of [
    'a b.example.com',
    'a/x.example.com',
    'a\u202E.example.com',
    'a@b.example.com',
    'a,b.example.com',
  ]) {
    test(`whose name is none are refused: ${JSON.stringify(host)}`, async () => {
      const { resolveSrv } = nameServer([[host, 27017]]);
      await assert.rejects(targetsOf(CLUSTER, { resolveSrv }), { code: 'ERR_TARGET_INVALID' });
    });
  }

  test('whose port is none are refused, and so are more than 64', async () => {
    const many = Array.from({ length: 65 }, (_, index): [string, number] => [`n${index}.example.com`, 27017]);
    for (const records of [[['a.example.com', 0]] as [string, number][], many]) {
      const { resolveSrv } = nameServer(records);
      await assert.rejects(targetsOf(CLUSTER, { resolveSrv }), { code: 'ERR_TARGET_INVALID' });
    }
  });

  test('that are not there, and a name server that is silent', async () => {
    const { resolveSrv } = nameServer([]);
    await assert.rejects(targetsOf(CLUSTER, { resolveSrv }), { code: 'ENODATA' });
    const none: ResolveSrv = (name, done) =>
      done(Object.assign(new Error(`querySrv ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), []);
    const report = await probe(CLUSTER, { resolveSrv: none });
    assert.ok(!report.ok);
    assert.deepEqual(report.error, {
      code: 'ENOTFOUND',
      message:
        '_mongodb._tcp.cluster.example.com has no SRV record: name the servers, as in mongodb://host:port (ENOTFOUND)',
    });
    const silent = await probe(CLUSTER, { resolveSrv: () => setTimeout(() => undefined, 500), timeoutMs: 50 });
    assert.ok(!silent.ok);
    assert.equal(silent.error.code, 'ERR_CONNECT_TIMEOUT');
  });
});

test('each server of a cluster is asked by `scan`; `probe` asks the only one, and names several', async (t) => {
  const certificates = [await mint(), await mint()];
  const servers = await startAddresses(certificates);
  t.after(servers.close);
  const hosts: Record<string, string | undefined> = { 'a.example.com': '127.0.0.1', 'b.example.com': '127.0.0.2' };
  const lookup = ((host: string, _options: unknown, done: (error: null, found: object[]) => void) =>
    done(null, [{ address: hosts[host], family: 4 }])) as never;
  const { port } = servers;
  const both = nameServer([
    ['a.example.com', port],
    ['b.example.com', port],
    ['b.example.com', 1],
  ]);
  const reports = [];
  for await (const report of scan([CLUSTER, 'nonsense here'], { lookup, resolveSrv: both.resolveSrv, order: 'given' }))
    reports.push(report);
  assert.deepEqual(
    reports.map(({ target }) => target),
    [...['a', 'b'].map((name) => `mongodb://${name}.example.com:${port}`), 'mongodb://b.example.com:1', '(unreadable)'],
  );
  const [first, second, closed] = reports;
  assert.equal(first?.ok && first.certificate.sha256, certificateHex(certificates[0] as never));
  assert.equal(second?.ok && second.certificate.sha256, certificateHex(certificates[1] as never));
  assert.equal(closed?.ok, false);

  const several = await probe(CLUSTER, { lookup, resolveSrv: both.resolveSrv });
  assert.ok(!several.ok);
  assert.equal(several.target, 'mongodb+srv://cluster.example.com');
  assert.match(
    several.error.message,
    /stands for 3 servers, .*: name one of mongodb:\/\/a\.example\.com:\d+, mongodb:\/\/b/,
  );
  const one = await probe(CLUSTER, { lookup, resolveSrv: nameServer([['a.example.com', port]]).resolveSrv });
  assert.ok(one.ok, JSON.stringify(one));
  assert.equal(one.certificate.sha256, certificateHex(certificates[0] as never));
});
