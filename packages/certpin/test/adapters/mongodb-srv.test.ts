// mongodb+srv: which servers are called is said by DNS, which an attacker may own; the pins are those of each name.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { getServers, setServers } from 'node:dns';
import { once } from 'node:events';
import type { LookupFunction } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { certificateHex, failureOf, mint } from '@certpin/testkit';
import { startMongodb } from '@certpin/testkit/mongodb';
import { findCertpinError } from '../../src/core/find-error.ts';
import { drivers, ways } from './mongodb-ways.ts';

const [right, impostor] = [await mint(), await mint()];
const login = { user: 'login', password: 'secret' };
const DOMAIN = 'cluster.certpin.example';

/** Where DNS says that the servers are. */
let records: { readonly name: string; readonly port: number }[] = [];
const dns = createSocket('udp4');
const before53 = getServers();

/** RFC 1035 §4, RFC 2782: SRV records for every question of that type, and nothing for the others. */
function answer(query: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5;
  const isSrv = query.readUInt16BE(end - 4) === 33;
  const header = Buffer.concat([
    query.subarray(0, 2),
    Buffer.from([0x81, 0x80, 0, 1, 0, isSrv ? records.length : 0, 0, 0, 0, 0]),
  ]);
  const answers = records.map(({ name, port }) => {
    const labels = name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
    const fixed = Buffer.alloc(6);
    fixed.writeUInt16BE(port, 4);
    const data = Buffer.concat([fixed, ...labels, Buffer.of(0)]);
    return Buffer.concat([Buffer.from([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, data.length]), data]);
  });
  return Buffer.concat([header, query.subarray(12, end), ...(isSrv ? answers : [])]);
}

before(async () => {
  dns.on('message', (query, { port, address }) => dns.send(answer(query), port, address));
  dns.bind(0, '127.0.0.1');
  await once(dns, 'listening');
  setServers([`127.0.0.1:${dns.address().port}`]);
});
after(() => {
  setServers(before53);
  dns.close();
});

/** Every name of the test is this machine. */
const lookup = ((_name, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)) as LookupFunction;

for (const driver of drivers) {
  for (const way of ways) {
    describe(`${driver.name}: ${way.name}, mongodb+srv`, { skip: driver.skip || way.skip }, () => {
      test('the server of the record has the pins of its name; an impostor gets no byte', async (t) => {
        const server = await startMongodb({ certificate: right, login });
        t.after(server.close);
        const host = 'a.cluster.certpin.example';
        records = [{ name: host, port: server.port }];
        const url = `mongodb+srv://login:secret@${DOMAIN}/app?authSource=admin`;
        const policy = { hosts: { [host]: { pins: certificateHex(right) } } };
        const opened = await way.open(url, policy, { lookup, serverSelectionTimeoutMS: 1_000 });
        t.after(opened.close);
        const client = new (driver.load())(...opened.args);
        assert.equal((await client.db().command({ ping: 1 })).ok, 1);
        assert.deepEqual(server.servernames[0], host);
        await client.close();

        server.present(impostor);
        const again = new (driver.load())(...opened.args);
        t.after(() => again.close());
        const error = await failureOf(again.connect());
        assert.equal(server.received(), 0);
        assert.equal((findCertpinError(error) ?? (opened.lastError() as { code?: string })).code, 'ERR_PIN_MISMATCH');
      });

      test('a server for which the policy has no name is not called', async (t) => {
        const server = await startMongodb({ certificate: right, login });
        t.after(server.close);
        records = [{ name: 'b.cluster.certpin.example', port: server.port }];
        const url = `mongodb+srv://login:secret@${DOMAIN}/app?authSource=admin`;
        const policy = { hosts: { 'a.cluster.certpin.example': { pins: certificateHex(right) } } };
        const opened = await way.open(url, policy, { lookup, serverSelectionTimeoutMS: 300 });
        t.after(opened.close);
        const client = new (driver.load())(...opened.args);
        t.after(() => client.close());
        const error = await failureOf(client.connect());
        assert.equal(server.received(), 0);
        assert.equal((findCertpinError(error) ?? (opened.lastError() as { code?: string })).code, 'ERR_HOST_UNPINNED');
      });

      test('tls: false behind it is refused', async () => {
        const url = `mongodb+srv://login:secret@${DOMAIN}/app`;
        const opened = await way.open(url, { pins: certificateHex(right) });
        const tls = way.name !== 'seen';
        assert.throws(() => new (driver.load())(opened.args[0], { ...opened.args[1], tls }), /tls/i);
        await opened.close();
      });
    });
  }
}
