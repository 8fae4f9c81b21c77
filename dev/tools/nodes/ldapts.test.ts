// The newest ldapts, on every Node that it is for, with the compiled library: once imported, once required.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import process from 'node:process';
import { after, describe, test } from 'node:test';
import { certificateHex, failureOf, mint } from '@certpin/testkit';
import { type LdapLike, ldapClient } from '@certpin/testkit/clients';
import { startLdapRelay, startSlapd } from '@certpin/testkit/ldap';
import * as imported from 'certpin/ldap';
import { findPackage, requirePackage, supportsNode } from './packages.ts';

const found = findPackage('ldapts-9');
if (found === undefined) throw new Error('ldapts-9 is not installed');
if (!supportsNode(found, process.version)) {
  test('ldapts 9', { skip: `ldapts ${found.version} is for Node ${found.engines}` });
} else {
  const { Client } = requirePackage('ldapts-9') as { Client: new (options: object) => LdapLike };
  const required = createRequire(import.meta.url)('certpin/ldap') as typeof imported;
  const [right, impostor] = [await mint(), await mint()];
  const slapd = await startSlapd(right);
  after(slapd.stop);
  const login = { ...slapd, database: slapd.base };

  for (const [system, { pinnedLdapts }] of Object.entries({ import: imported, require: required })) {
    describe('ldapts 9', () => {
      for (const scheme of ['ldaps', 'ldap']) {
        test(`${system}, ${scheme}: it binds at the pinned server, and tells another one nothing`, async (t) => {
          const relay = await startLdapRelay({ certificate: right, upstream: slapd });
          t.after(relay.close);
          const options = pinnedLdapts({ url: `${scheme}://127.0.0.1:${relay.port}` }, { pins: certificateHex(right) });
          const client = new Client(options);
          t.after(() => client.unbind());
          for (let round = 1; round <= 3; round++) {
            await ldapClient(() => client, login).exchange();
            await client.unbind();
            relay.present(impostor);
            assert.equal((await failureOf(client.bind(slapd.user, slapd.password))).code, 'ERR_PIN_MISMATCH');
            await new Promise((resolve) => setTimeout(resolve, 20));
            assert.equal(relay.received(), 0);
            relay.present(right);
          }
        });
      }
    });
  }
}
