import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateHex, mint } from '@certpin/testkit';
import { startMariadb } from '@certpin/testkit/mariadb';
import { transcript } from './transcript.ts';

test('a real MariaDB: the fingerprint, both pins across a rotation, and nothing of the connection string', async (t) => {
  const current = await mint({ subject: 'CN=current' });
  const next = await mint({ subject: 'CN=next' });
  const server = await startMariadb({ certificate: current });
  t.after(server.stop);
  const address = `${server.host}:${server.port}`;
  const names = {
    TARGET: `mysql://${server.user}:${server.password}@${address}/${server.database}`,
    CURRENT: certificateHex(current),
    NEXT: certificateHex(next),
  };
  assert.equal(await transcript('get -q TARGET', names), 'CURRENT\nexit 0');
  const json = await transcript('get --json TARGET', names);
  assert.match(json, /"protocol":"mysql",.*"ok":true/);
  assert.ok(!json.includes(server.password));
  await server.present(next);
  assert.match(await transcript('check TARGET --pin CURRENT NEXT', names), /^pin matched .* is NEXT\n.*exit 0$/s);
  assert.match(await transcript('check TARGET --pin CURRENT', names), /^pin mismatch .*exit 1$/s);
  // The server that has no TLS at all.
  const plain = await startMariadb({ certificate: undefined });
  t.after(plain.stop);
  assert.match(
    await transcript('get TARGET', { TARGET: `mariadb://${plain.host}:${plain.port}` }),
    /the MySQL server offers no TLS \(its greeting lacks CLIENT_SSL\)\nexit 2$/,
  );
});
