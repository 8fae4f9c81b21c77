import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { certificateHex, type Minted, mint } from '@certpin/testkit';
import { type Entry, judge, parsePinsFile } from '../src/index.ts';

const near = { milliseconds: 0 };

function entryOf(target: object): Entry {
  const document = parsePinsFile(JSON.stringify({ version: 2, targets: [target] }), '/certpin.json');
  return document.entries[0] as Entry;
}

/** Certificates of CAs of one name, each signed by the next one. */
async function mintLadder(length: number): Promise<Minted[]> {
  const last = await mint({ ca: true, subject: 'CN=CA' });
  const ladder = [last];
  while (ladder.length < length)
    ladder.unshift(await mint({ ca: true, subject: 'CN=CA', issuer: ladder[0] as Minted }));
  return ladder;
}

test('a server that sends many certificates beside a revoked one is refused after a bounded number of signatures', async (t) => {
  const ladder = await mintLadder(40);
  const [ca, revoked] = [ladder[0] as Minted, ladder[39] as Minted];
  const leaf = await mint({ subject: 'CN=db', names: ['db'], issuer: ca });
  const entry = entryOf({
    target: 'db:443',
    issuerPins: [ca.certPem],
    revoked: [{ pin: certificateHex(revoked), since: '2026-11-01' }],
  });
  const sent = [leaf, ca, ...ladder.slice(1).reverse()].map(({ certPem }) => new X509Certificate(certPem));
  const verified = t.mock.method(X509Certificate.prototype, 'verify');
  const answer = (certificates: X509Certificate[]) => ({
    protocol: 'tls' as const,
    peer: { certificates, host: 'db', tlsVersion: 'TLSv1.3', protocol: 'tls' as const, detected: false },
  });
  const judged = judge(entry, answer(sent), near, new Date());
  assert.equal(judged.status, 'refused');
  assert.match(judged.reason, /too many certificates/);
  assert.ok(verified.mock.callCount() < 80, `${verified.mock.callCount()} signatures`);
  // Somebody in the middle does not choose the word for a refusal.
  const other = await mint({ subject: 'CN=db', names: ['db'], issuer: { ...(ladder[20] as Minted) } });
  const refused = judge(entry, answer([new X509Certificate(other.certPem), ...sent.slice(1)]), near, new Date());
  assert.equal(refused.status === 'revoked', false);
});
