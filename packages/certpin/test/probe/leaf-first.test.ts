import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mint } from '@certpin/testkit';
import { Certificate } from '../../src/core/certificate.ts';
import { leafFirst, leavesOf } from '../../src/probe/leaf-first.ts';

describe('the leaf of a bundle', async () => {
  const root = await mint({ ca: true, subject: 'CN=Root' });
  const issuer = await mint({ ca: true, subject: 'CN=Issuer', issuer: root });
  const leaf = await mint({ subject: 'CN=leaf', issuer });
  const otherRoot = await mint({ ca: true, subject: 'CN=Other' });
  const selfSigned = await mint({ subject: 'CN=self' });
  const renewed = await mint({ subject: 'CN=self' });

  const cases: [string, (typeof root)[], (typeof root)[]][] = [
    ['comes first, wherever it stands', [root, issuer, leaf], [leaf, root, issuer]],
    ['stays first', [leaf, issuer, root], [leaf, issuer, root]],
    ['is told from a CA that has issued nothing here', [otherRoot, leaf, issuer], [leaf, otherRoot, issuer]],
    ['is not told among two', [selfSigned, leaf], [selfSigned, leaf]],
    ['is not told from its own renewal', [selfSigned, renewed], [selfSigned, renewed]],
    ['is the only certificate', [selfSigned], [selfSigned]],
    ['is the last CA, where there are only CAs', [root, issuer], [issuer, root]],
    ['is not there', [], []],
  ];
  for (const [name, given, expected] of cases) {
    it(name, () => {
      const ordered = leafFirst(given.map(({ x509 }) => new Certificate(x509.raw)));
      assert.deepEqual(
        ordered.map(({ certificateSha256 }) => certificateSha256),
        expected.map(({ x509 }) => x509.fingerprint256.replaceAll(':', '')),
      );
    });
  }

  it('is one of several where a file does not tell, each named once', () => {
    const of = (...given: (typeof root)[]): string[] =>
      leavesOf(given.map(({ x509 }) => new Certificate(x509.raw))).map(({ x509 }) => x509.subject);
    assert.deepEqual(of(root, issuer, leaf), ['CN=leaf']);
    assert.deepEqual(of(leaf, leaf, issuer), ['CN=leaf']);
    assert.deepEqual(of(leaf, selfSigned, issuer), ['CN=leaf', 'CN=self']);
    assert.deepEqual(of(selfSigned, renewed, otherRoot), ['CN=self', 'CN=self']);
    assert.deepEqual(of(root, otherRoot), ['CN=Root', 'CN=Other']);
    assert.deepEqual(of(), []);
  });
});
