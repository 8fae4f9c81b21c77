import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { certificateHex, mint } from '@certpin/testkit';
import { rotatingServices } from '../../src/scan/rotating.ts';
import { startServer } from '../peers.ts';
import { certpin, transcript } from '../transcript.ts';

const WARNING =
  '2> certpin: warning: tenant.eu.auth0.com: do not pin this server: *.auth0.com changes its certificates at will, and each change would lock you out; use the ordinary verification\n';

test('a public service that changes its certificates at will: a warning, once, and the same exit code', async (t) => {
  const issuer = await mint({ ca: true, subject: 'CN=Public CA' });
  const server = await startServer(t, await mint({ issuer }));
  const names = { PORT: server.port, HEX: certificateHex(server.certificate) };
  const target = '127.0.0.1:PORT';
  const flags = '--servername tenant.eu.auth0.com';
  assert.equal(await transcript(`get -q ${target} ${target} ${flags}`, names), `HEX\nHEX\n${WARNING}exit 0`);
  const held = await transcript(`check ${target} --pin HEX ${flags}`, names);
  assert.ok(held.endsWith(`${WARNING}exit 0`), held);
  const refused = await transcript(`check ${target} --pin ${'AB'.repeat(32)} ${flags}`, names);
  assert.ok(refused.endsWith(`${WARNING}exit 1`), refused);
  assert.equal(await transcript(`check -q ${target} --pin HEX ${flags}`, names), 'exit 0');
});

test('no warning for a self-signed certificate, for another host, or for a name that only looks alike', async (t) => {
  const own = await startServer(t);
  const issued = await startServer(t, await mint({ issuer: await mint({ ca: true }) }));
  const quiet: [number, string][] = [
    [own.port, 'tenant.auth0.com'],
    [issued.port, 'api.example.com'],
    [issued.port, 'notauth0.com'],
    [issued.port, 'auth0.com.example'],
  ];
  for (const [port, name] of quiet) {
    assert.equal((await certpin(['get', '-q', `127.0.0.1:${port}`, '--servername', name])).stderr, '', name);
  }
  const said = await certpin(['get', '-q', `127.0.0.1:${issued.port}`, '--servername', 'S3.AMAZONAWS.COM.']);
  assert.match(said.stderr, /warning: .*\*\.amazonaws\.com/);
});

test('docs/reference/targets.md shows the list', () => {
  const page = readFileSync(new URL('../../../../docs/reference/targets.md', import.meta.url), 'utf8');
  for (const service of rotatingServices) assert.ok(page.includes(`\`*.${service}\``), service);
});
