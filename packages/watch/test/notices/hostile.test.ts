import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { mint, startTlsServer } from '@certpin/testkit';
import { Webhook } from 'standardwebhooks';
import { certpin } from '../../../cli/test/transcript.ts';
import { folderFor, SECRET, startReceiver } from './support.ts';

it('what a hostile server presents, through the watcher to each receiver', async (test) => {
  const evil = '<!channel> [sign in](https://evil.example/)\u001B[2J\u202E\r\nBcc: x@evil.example';
  const names = [
    'https://evil.example/',
    '<!channel>.evil.example',
    'a\u001B[2J\r\nBcc: x@evil.example',
    'x'.repeat(4_000),
  ];
  const [ca, thief] = [await mint({ ca: true, subject: 'CN=Our CA' }), await mint({ ca: true })];
  // It names the pinned CA, which has not signed it: the reason says so, with the subject.
  const forged = await mint({ subject: `CN=#0C${hexOf(evil)}`, names, issuer: ca, signedBy: thief });
  const target = await startTlsServer({ certificate: { ...forged, chainPem: forged.certPem + ca.certPem } });
  test.after(() => target.close());
  const server = await startReceiver();
  test.after(() => server.close());
  const folder = folderFor(test);
  const pins = { issuerPins: [ca.x509.fingerprint256.replaceAll(':', '')] };
  writeFileSync(
    join(folder, 'certpin.json'),
    JSON.stringify({
      version: 1,
      targets: [{ target: `localhost:${target.port}`, ...pins }],
    }),
  );
  const out = join(folder, 'event.json');
  const script = `require('fs').writeFileSync(${JSON.stringify(out)}, require('fs').readFileSync(0))`;
  const config = join(folder, 'certpin.watch.json');
  const receivers = [
    { name: 'hook', kind: 'webhook', url: `${server.url}hook`, secret: { env: 'SECRET' } },
    { name: 'slack', kind: 'slack', url: { env: 'SLACK' } },
    { name: 'teams', kind: 'teams', url: { env: 'TEAMS' } },
    { name: 'alerts', kind: 'alertmanager', url: server.url },
    { name: 'script', kind: 'command', command: [process.execPath, '-e', script] },
  ];
  writeFileSync(config, JSON.stringify({ hysteresis: { up: { drift: 1 } }, receivers }));
  const env = { SECRET, SLACK: `${server.url}slack`, TEAMS: `${server.url}teams` };
  const { stdout, stderr, code } = await certpin(['watch', '--once', '--config', config], { env });
  assert.equal(code, 1, stderr);
  assert.match(stdout, /evil\.example/, 'the reason does say what stands in the certificate');
  const paths = [...new Set(server.received.map(({ path }) => path))].sort();
  assert.deepEqual(paths, ['/api/v2/alerts', '/hook', '/slack', '/teams']);
  const bodies = [...server.received.map(({ body }) => body), readFileSync(out, 'utf8')];
  for (const body of bodies) {
    assert.doesNotMatch(body, /[\p{Cc}\u202e\u2028\u2029]/u);
    for (const text of textsOf(JSON.parse(body))) {
      assert.doesNotMatch(text, /[\p{Cc}\u202e\u2028\u2029]/u);
      assert.ok(text.length < 2_000);
    }
  }
  const bodyOf = (path: string): string => server.received.find((one) => one.path === path)?.body ?? '';
  for (const path of ['/slack', '/teams']) {
    assert.match(bodyOf(path), /evil\[\.\]example/);
    assert.doesNotMatch(bodyOf(path), /https:\/\/evil|evil\.example/);
  }
  const kinds = [...bodyOf('/slack').matchAll(/"type":"(\w+)"/g)].map(([, kind]) => kind);
  assert.deepEqual([...new Set(kinds)].sort(), ['header', 'plain_text', 'section']);
  const hook = server.received.find(({ path }) => path === '/hook');
  new Webhook(SECRET).verify(hook?.body ?? '', hook?.headers as Record<string, string>);
});

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

/** A UTF8String's content, behind its tag: RFC 4514 §2.4 takes the whole value in hex. */
function hexOf(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length > 127) throw new RangeError('a long form of the length is not written here');
  return bytes.length.toString(16).padStart(2, '0') + bytes.toString('hex');
}
