import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { certificateHex, mint } from '@certpin/testkit';
import { probe } from 'certpin/probe';
import { fingerprintOfFile, fingerprintOfServer } from './openssl.ts';
import { servers } from './servers.ts';

const root = await mint({ ca: true, subject: 'CN=Company CA' });
const issuer = await mint({ ca: true, subject: 'CN=Company Issuing CA', issuer: root });
const certificate = await mint({ issuer });

for (const { name, services, start } of servers) {
  describe(name, () => {
    let server: Awaited<ReturnType<typeof start>>;
    before(async () => {
      server = await start(certificate);
    });
    after(() => server?.stop());

    for (const { scheme, openssl } of services) {
      const who = openssl === undefined ? 'certpin sees' : 'certpin and openssl see';
      test(`${scheme}: ${who} the certificate of the server's file`, async () => {
        const port = server.ports[scheme] as number;
        const own = await fingerprintOfFile(server.certificateFile);
        if (openssl !== undefined) assert.equal(await fingerprintOfServer(port, openssl), own);
        const report = await probe(`${scheme}://127.0.0.1:${port}`, { servername: 'localhost' });
        assert.ok(report.ok, JSON.stringify(report));
        assert.equal(report.certificate.sha256, own);
        assert.deepEqual(
          report.chain.map(({ sha256 }) => sha256),
          [own, certificateHex(issuer)],
        );
      });
    }
  });
}
