// The accident this prevents: a name that nobody certified is taken for ours, and a page of an attacker reads ours under it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mint } from '@certpin/testkit';
import { createHostCheck } from '../../src/server/host-check.ts';

async function checkOf(names: readonly string[], subject?: string): Promise<(header: string | undefined) => boolean> {
  const { certPem, keyPem } = await mint({ names, ...(subject === undefined ? {} : { subject }) });
  return createHostCheck({ host: '0.0.0.0', port: 9733, tls: { certificate: certPem, key: keyPem } });
}

test('the names of the certificate count as OpenSSL reads them', async () => {
  const isOurs = await checkOf(['watch.example.com', '*.watch.example.org', '192.0.2.7', '2001:db8::7']);
  for (const host of [
    'watch.example.com',
    'WATCH.example.com.:9733',
    'a.watch.example.org:9733',
    '192.0.2.7:9733',
    '[2001:db8::7]:9733',
    '[2001:DB8:0:0:0:0:0:7]',
  ])
    assert.equal(isOurs(host), true, host);
  for (const host of [
    'example.com',
    'a.watch.example.com',
    'watch.example.org',
    'a.b.watch.example.org',
    '*.watch.example.org',
    '.example.com',
    '.watch.example.org',
    '192.0.2.8',
    '[2001:db8::8]',
    'localhost',
    '',
    '..',
    undefined,
  ])
    assert.equal(isOurs(host), false, host);
});

test('a name inside a name is none, and neither is the subject', async () => {
  const isOurs = await checkOf(['a.example.com, DNS:b.example.com', 'a", DNS:c.example.com'], 'CN=d.example.com');
  for (const host of ['a.example.com', 'b.example.com', 'c.example.com', 'd.example.com'])
    assert.equal(isOurs(host), false, host);
  assert.equal((await checkOf([], 'CN=d.example.com'))('d.example.com'), false);
});

test('names of the configuration count alone, and as they are', async () => {
  const { certPem, keyPem } = await mint({ names: ['watch.example.com'] });
  const tls = { certificate: certPem, key: keyPem };
  const isOurs = createHostCheck({ host: '0.0.0.0', port: 9733, tls, names: ['Pages.example.com', '2001:db8::7'] });
  for (const host of ['pages.example.com:443', '[2001:db8::7]']) assert.equal(isOurs(host), true, host);
  for (const host of ['watch.example.com', 'localhost']) assert.equal(isOurs(host), false, host);
});
