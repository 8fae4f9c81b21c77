import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { mint } from '@certpin/testkit';
import { type Daemon, startDaemon } from '@certpin/testkit/daemon';
import { probe } from 'certpin/probe';
import { daemons } from './daemons.ts';
import { fingerprintOfFile, fingerprintOfServer } from './openssl.ts';

for (const { name, services, configure } of daemons) {
  describe(name, () => {
    let daemon: Daemon<string>;
    before(async () => {
      const schemes = services.map(({ scheme }) => scheme);
      daemon = await startDaemon({ name, certificate: await mint(), services: schemes, configure });
    });
    after(() => daemon?.stop());

    for (const { scheme, openssl } of services) {
      test(`${scheme}: certpin and openssl see the certificate of the server's file`, async () => {
        const port = daemon.ports[scheme] as number;
        const own = await fingerprintOfFile(daemon.certificateFile);
        assert.equal(await fingerprintOfServer(port, openssl), own);
        const report = await probe(`${scheme}://127.0.0.1:${port}`, { servername: 'localhost' });
        assert.ok(report.ok, `${JSON.stringify(report)}\n${daemon.log()}`);
        assert.equal(report.certificate.sha256, own);
      });
    }
  });
}
