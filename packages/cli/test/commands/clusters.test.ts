// The name of a MongoDB cluster: each of its servers is asked, and stands in a pins file by itself.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { certificateHex, mint, startAddresses } from '@certpin/testkit';
import type { ResolveSrv } from 'certpin/probe';
import { certpin, PASSWORD } from '../transcript.ts';

const CLUSTER = `mongodb+srv://app:${PASSWORD}@cluster.example.com/app?retryWrites=true`;

async function startCluster(t: TestContext) {
  const certificates = [await mint(), await mint()] as const;
  const servers = await startAddresses(certificates);
  t.after(servers.close);
  const hosts: Record<string, string> = { 'a.example.com': '127.0.0.1', 'b.example.com': '127.0.0.2' };
  const lookup: LookupFunction = (host, options, done) => {
    const found = { address: hosts[host] ?? '', family: 4 };
    if (options.all) done(null, [found]);
    else done(null, found.address, found.family);
  };
  const resolveSrv: ResolveSrv = (name, done) => {
    assert.equal(name, '_mongodb._tcp.cluster.example.com');
    done(
      null,
      Object.keys(hosts).map((host) => ({ name: host, port: servers.port })),
    );
  };
  const labels = Object.keys(hosts).map((host) => `mongodb://${host}:${servers.port}`);
  const hexes = certificates.map((certificate) => certificateHex(certificate));
  return { how: { lookup, resolveSrv }, labels, hexes };
}

test('get: a certificate of each server; what cannot be read keeps its number', async (t) => {
  const { how, labels, hexes } = await startCluster(t);
  const { stdout, stderr, code } = await certpin(['get', '--json', CLUSTER, 'non sense'], how);
  const reports = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    reports.map(({ target }) => target),
    [...labels, '(unreadable)'],
  );
  assert.deepEqual(
    reports.slice(0, 2).map(({ certificate }) => certificate.sha256),
    hexes,
  );
  assert.deepEqual([stderr, code], ['', 2]);
  const text = await certpin(['get', '-q', CLUSTER, 'non sense'], how);
  assert.equal(text.stdout, `${hexes.join('\n')}\n`);
  assert.match(text.stderr, /^certpin: error: target 2: /);
});

test('get and check: a name without servers, and one that leads elsewhere', async () => {
  const none: ResolveSrv = (_, done) => done(Object.assign(new Error('querySrv ENOTFOUND'), { code: 'ENOTFOUND' }), []);
  const evil: ResolveSrv = (_, done) => done(null, [{ name: 'evil.invalid', port: 1 }]);
  for (const command of [['get'], ['check', '--pin', 'A'.repeat(64)]]) {
    const [name = '', ...flags] = command;
    const absent = await certpin([name, CLUSTER, ...flags], { resolveSrv: none });
    assert.match(
      absent.stderr,
      /^certpin: error: mongodb\+srv:\/\/cluster\.example\.com: _mongodb\._tcp\.cluster\.example\.com has no SRV record: .* \(ENOTFOUND\)\n/,
    );
    const elsewhere = await certpin([name, CLUSTER, ...flags], { resolveSrv: evil });
    assert.match(elsewhere.stderr, /leads outside of example\.com/);
    assert.doesNotMatch(elsewhere.stderr, /evil/);
    assert.deepEqual([absent.code, elsewhere.code], [2, 2]);
  }
});

test('trust writes an entry of each server, and check --file finds them by the name of the cluster', async (t) => {
  const { how, labels, hexes } = await startCluster(t);
  const folder = mkdtempSync(join(tmpdir(), 'certpin-cluster-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'certpin.json');
  const trusted = await certpin(['trust', CLUSTER, '--file', file, '--yes'], how);
  assert.equal(trusted.code, 0, trusted.stderr);
  const { targets } = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual(
    targets.map(({ target }: { target: string }) => target),
    labels,
  );
  const checked = await certpin(['check', '--file', file, CLUSTER, '--json'], how);
  assert.equal(checked.code, 0, checked.stderr);
  assert.deepEqual(
    checked.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).target),
    labels,
  );
  const one = await certpin(['check', CLUSTER, '--pin', hexes[0] ?? ''], how);
  assert.equal(one.code, 2);
  assert.match(one.stderr, /stands for 2 servers, .*: name one of mongodb:\/\/a\.example\.com:\d+, mongodb:\/\/b/);
});
