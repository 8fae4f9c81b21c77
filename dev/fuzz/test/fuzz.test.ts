import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { longOnly } from '@certpin/testkit';
import { fuzz } from '../src/fuzz.ts';
import { type Library, loadLibrary } from '../src/library.ts';

const library = await loadLibrary();
const seed = randomBytes(6).toString('hex');

describe(`certificates that nobody should write, of seed ${seed}`, () => {
  it('are read as OpenSSL reads them, and chains are taken that openssl verify takes', () => {
    const { differences, same, rejected, chains, certificates } = fuzz({
      library,
      seed,
      certificates: 4_000,
      batch: 700,
    });
    assert.deepEqual(differences, []);
    assert.equal(same + rejected, certificates - 2 * chains);
    assert.ok(same > certificates / 10 && rejected > certificates / 10, 'both kinds are among them');
  });

  it('are the same for the same seed', () => {
    const results = [1, 2].map(() => fuzz({ library, seed: 'again', certificates: 300, batch: 300 }));
    assert.deepEqual(results[0], results[1]);
  });
});

describe('a library with a hole', longOnly, () => {
  // Always the same certificates: among them are some that each hole takes wrongly.
  const differencesOf = (faulty: Partial<Library>): string[] => {
    const faultyLibrary = { ...library, ...faulty };
    const { differences } = fuzz({ library: faultyLibrary, seed: 'd', certificates: 2_000, batch: 700 });
    return [...new Set(differences.map(({ difference }) => difference))];
  };

  it('is found: it looks for the key in the bytes', () => {
    class Searching extends library.Certificate {
      override get publicKeySha256(): typeof library.Certificate.prototype.publicKeySha256 {
        const read = super.publicKeySha256;
        // The hash of whatever stands where a key of OpenSSL's does not.
        return read === null ? super.certificateSha256 : read;
      }
    }
    assert.deepEqual(differencesOf({ Certificate: Searching }), ['the key is another one than OpenSSL has']);
  });

  it('is found: it takes dates as V8 does', () => {
    class Guessing extends library.Certificate {
      override get validTo() {
        return new Date(this.x509.validTo);
      }
    }
    assert.deepEqual(differencesOf({ Certificate: Guessing }), ['a date is another one than OpenSSL has']);
  });

  it('is found: it takes every chain in which the signatures are good', () => {
    const verify: Library['verify'] = (peer, policy, now) => {
      const verdict = library.verify(peer, policy, now);
      const [leaf, issuer] = peer.certificates.map((one) =>
        one instanceof Uint8Array ? new X509Certificate(one) : undefined,
      );
      const isSigned = leaf !== undefined && issuer !== undefined && leaf.verify(issuer.publicKey);
      return isSigned ? ({ ...verdict, ok: true } as ReturnType<typeof library.verify>) : verdict;
    };
    assert.deepEqual(differencesOf({ verify }), ['openssl verify refuses a chain that is taken']);
  });

  it('is found: it refuses what is in order', () => {
    const verify: Library['verify'] = (peer, policy, now) => library.verify({ ...peer, certificates: [] }, policy, now);
    assert.deepEqual(differencesOf({ verify }), ['openssl verify takes a chain that is refused']);
  });
});
