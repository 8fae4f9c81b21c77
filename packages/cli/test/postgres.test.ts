import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { certificateHex, mint } from '@certpin/testkit';
import { startPostgres } from '@certpin/testkit/postgres';
import { transcript } from './transcript.ts';

test('a real PostgreSQL: the fingerprint that openssl fetches, both pins across a rotation', async (t) => {
  const current = await mint({ subject: 'CN=current' });
  const next = await mint({ subject: 'CN=next' });
  const server = await startPostgres({ certificate: current });
  t.after(server.stop);
  const address = `${server.host}:${server.port}`;
  const openssl = (input: string, ...argv: string[]): string =>
    execFileSync('openssl', argv, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
  const presented = openssl('', 's_client', '-starttls', 'postgres', '-connect', address);
  const fingerprint = openssl(presented, 'x509', '-noout', '-fingerprint', '-sha256').trim().split('=')[1] ?? '';

  const names = {
    TARGET: `postgres://${server.user}:${server.password}@${address}/${server.database}`,
    OPENSSL: fingerprint.replaceAll(':', ''),
    NEXT: certificateHex(next),
  };
  assert.equal(await transcript('get -q TARGET', names), 'OPENSSL\nexit 0');
  assert.match(await transcript('check TARGET --pin OPENSSL NEXT', names), /^pin matched .* is OPENSSL\n.*exit 0$/s);
  await server.present(next);
  assert.match(await transcript('check TARGET --pin OPENSSL NEXT', names), /^pin matched .* is NEXT\n.*exit 0$/s);
  assert.match(await transcript('check TARGET --pin OPENSSL', names), /^pin mismatch .*exit 1$/s);
});
