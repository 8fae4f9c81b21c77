import { matchPin } from '../leaf/checks.ts';
import { type Pin, pinOf } from '../leaf/pin.ts';
import type { Certificate } from './certificate.ts';
import { verifyChain } from './chain.ts';
import { namesHost } from './names.ts';
import type { Refused } from './verdict.ts';

/**
 * What is known behind a refusal, and how well: the causes (causes.ts) are chosen by these facts alone.
 *
 * The handshake has proven the key of the first certificate. Everything else that was sent is public, and anybody can send it; only a
 * signature that was verified ties it to the first one. What is configured no server can choose.
 */
export class Known {
  readonly verdict: Refused;
  /** The server's own certificate: the first one. */
  readonly leaf: Certificate | undefined;
  /** What was sent along with it, or stands behind it in the file. */
  readonly others: readonly Certificate[];

  constructor(verdict: Refused) {
    this.verdict = verdict;
    [this.leaf, ...this.others] = verdict.presented;
  }

  /** Nothing was presented: somebody has asked about a file. */
  get fromFile(): boolean {
    return this.verdict.fromFile === true;
  }

  get host(): string | undefined {
    return this.verdict.host;
  }

  /** The pin of the first certificate itself, among `pins`. */
  get leafPin(): Pin | undefined {
    return this.#match(this.leaf, this.verdict.policy.pins);
  }

  /** The pin of the first certificate itself, among `issuerPins`. */
  get leafPinOfIssuers(): Pin | undefined {
    return this.#match(this.leaf, this.verdict.policy.issuerPins);
  }

  /** A configured hash is the first certificate's, of the other kind: the pin as it should be spelled. */
  get confusedPin(): Pin | undefined {
    const { pins, issuerPins } = this.verdict.policy;
    return this.#match(this.leaf, otherKind([...pins, ...issuerPins]));
  }

  /** The first certificate has the key of a pinned one whose certificate is known. */
  get hasPinnedKey(): boolean {
    const key = this.leaf?.publicKeySha256 ?? null;
    return key !== null && this.#pinned.some(({ publicKeySha256 }) => publicKeySha256 === key);
  }

  /** A pinned certificate names the host, and the first one does not. Of a pin that is only a hash, nobody knows what it names. */
  get hasLostName(): boolean {
    return !this.namesHost && this.#pinned.some((certificate) => namesHost(certificate, this.host));
  }

  get namesHost(): boolean {
    return this.leaf !== undefined && namesHost(this.leaf, this.host);
  }

  /**
   * The configured pin of a CA that has signed the first certificate, by a chain of verified signatures, and is pinned in a way in which it
   * cannot match: among `pins`, or as a hash of the other kind. It is given as it should be spelled.
   */
  get signerPin(): SignerPin | undefined {
    const { policy } = this.verdict;
    if (this.leaf === undefined) return undefined;
    const pins = [...policy.pins, ...otherKind(policy.pins)];
    const all = [...pins, ...otherKind(policy.issuerPins)];
    const now = new Date();
    const chain = verifyChain(this.leaf, [...this.others, ...policy.knownCertificates], all, {
      now,
      expired: 'accept',
    });
    if (!chain.ok) return undefined;
    const isRespelled = !policy.pins.includes(chain.pin);
    const isSent = this.others.some(({ certificateSha256 }) => certificateSha256 === chain.issuer.certificateSha256);
    return { pin: chain.pin, isSent, isRespelled, isAmongPins: pins.includes(chain.pin) };
  }

  /** A configured hash is that of a certificate that was sent along. This says nothing for the sender. */
  get isPinnedSentAlong(): boolean {
    const { pins, issuerPins } = this.verdict.policy;
    const all = [...pins, ...issuerPins];
    return this.others.some((certificate) => this.#match(certificate, [...all, ...otherKind(all)]) !== undefined);
  }

  /** Nothing speaks against a pin that is a CA's: one is only a hash, and the certificate names another one as its issuer. */
  get mayBeOfCa(): boolean {
    const { pins } = this.verdict.policy;
    return this.leaf?.selfSigned === false && pins.some((pin) => this.#isHashAlone(pin));
  }

  /** An issuer is pinned by its hash alone, and what was sent ends before a certificate that has issued itself. */
  get lacksIssuer(): boolean {
    const isHashAlone = this.verdict.policy.issuerPins.some((pin) => this.#isHashAlone(pin));
    return isHashAlone && this.#signers().every(({ selfSigned }) => !selfSigned);
  }

  #isHashAlone(pin: Pin): boolean {
    return this.verdict.policy.knownCertificates.every((one) => this.#match(one, [pin]) === undefined);
  }

  /** Every certificate of which a verified signature shows that it has issued the first one, or one of its issuers; the first one too. */
  #signers(): readonly Certificate[] {
    return signersOf(this.verdict.presented);
  }

  /** The pinned certificates whose content is known: from the configuration, or by their hash among what was sent. */
  get #pinned(): readonly Certificate[] {
    const { pins, issuerPins, knownCertificates } = this.verdict.policy;
    return [...knownCertificates, ...this.others].filter(
      (certificate) => this.#match(certificate, [...pins, ...issuerPins]) !== undefined,
    );
  }

  #match(certificate: Certificate | undefined, pins: readonly Pin[]): Pin | undefined {
    return certificate && matchPin(certificate, pins);
  }
}

interface SignerPin {
  readonly pin: Pin;
  /** The server sends that CA. */
  readonly isSent: boolean;
  readonly isRespelled: boolean;
  /** Among `pins`, and not among `issuerPins`. */
  readonly isAmongPins: boolean;
}

function otherKind(pins: readonly Pin[]): Pin[] {
  return pins.map(({ kind, sha256 }) => pinOf(kind === 'certificate' ? 'public-key' : 'certificate', sha256));
}

/** A server may send hundreds of certificates; each link is a signature. */
const MAX_SIGNERS = 6;

/**
 * The first of `certificates`, and those behind it that have signed it, or one that has: with the CA bit, and a signature that was verified.
 * What is only sent along is not among them.
 */
export function signersOf(certificates: readonly Certificate[]): readonly Certificate[] {
  const [leaf, ...others] = certificates.slice(0, MAX_SIGNERS);
  const chain = leaf === undefined ? [] : [leaf];
  for (const child of chain) {
    const signers = others.filter((one) => !chain.includes(one) && one.x509.ca && child.isIssuedBy(one));
    chain.push(...signers);
  }
  return chain;
}
