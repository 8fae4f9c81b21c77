import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { mint } from '@certpin/testkit';
import { probe } from 'certpin/probe';
import { fingerprintOfFile, fingerprintOfServer } from './openssl.ts';
import { servers } from './servers.ts';

for (const { name, services, start } of servers) {
  describe(name, () => {
    let server: Awaited<ReturnType<typeof start>>;
    before(async () => {
      server = await start(await mint());
    });
    after(() => server?.stop());

    for (const { scheme, openssl } of services) {
      test(`${scheme}: certpin and openssl see the certificate of the server's file`, async () => {
        const port = server.ports[scheme] as number;
        const own = await fingerprintOfFile(server.certificateFile);
        assert.equal(await fingerprintOfServer(port, openssl), own);
        const report = await probe(`${scheme}://127.0.0.1:${port}`, { servername: 'localhost' });
        assert.ok(report.ok, JSON.stringify(report));
        assert.equal(report.certificate.sha256, own);
      });
    }
  });
}
