// What people write for a self-signed certificate, through the conformance suite: the suite must find what is wrong with it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mongodbClient } from '@certpin/testkit/clients';
import { ConformanceFailure, conformanceCases, type SuiteAdapter } from '@certpin/testkit/conformance';
import { startMongodb } from '@certpin/testkit/mongodb';
import { MongoClient, type MongoClientOptions } from 'mongodb';
import { mongodbLogin } from '../suite-mongodb.ts';

const techniques: Record<string, MongoClientOptions> = {
  tlsAllowInvalidCertificates: { tlsAllowInvalidCertificates: true },
  tlsInsecure: { tlsInsecure: true },
  'rejectUnauthorized: false': { rejectUnauthorized: false },
};

for (const [name, options] of Object.entries(techniques)) {
  const adapter: SuiteAdapter = {
    name,
    protocol: 'tls',
    pools: true,
    startServer: (server) => startMongodb({ ...server, login: mongodbLogin }),
    createClient: ({ host, port }) => {
      const url = `mongodb://${mongodbLogin.user}:${mongodbLogin.password}@${host}:${port}/?authSource=admin`;
      return mongodbClient(() => new MongoClient(url, { tls: true, serverSelectionTimeoutMS: 1_000, ...options }));
    },
  };
  describe(`${name} fails the suite`, () => {
    for (const wanted of [
      'another key under the same name is refused',
      'a wrong server is refused four times over TLSv1.2',
      'a wrong server is refused four times over TLSv1.3',
      'an expired certificate is refused',
      'ten refusals at once bring nothing down',
    ]) {
      test(wanted, async () => {
        const suiteCase = conformanceCases.find((each) => each.name === wanted);
        assert.ok(suiteCase);
        await assert.rejects(suiteCase.run({ ...adapter, onWrongServer: () => undefined }), (error) => {
          assert.ok(error instanceof ConformanceFailure);
          assert.equal(error.kind, 'leaked');
          assert.match(error.message, /the password among them/);
          return true;
        });
      });
    }
  });
}
