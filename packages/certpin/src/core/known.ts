import { matchPin } from '../leaf/checks.ts';
import { type Pin, pinOf } from '../leaf/pin.ts';
import type { Certificate } from './certificate.ts';
import { verifyChain } from './chain.ts';
import { namesHost } from './names.ts';
import type { Refused } from './verdict.ts';

/**
 * The facts behind a refusal. Only these facts choose a cause (causes.ts).
 *
 * The handshake proves that the server has the key of the first certificate. The other certificates are public, and anybody can send them.
 * Only a verified signature connects them with the first one. No server can choose what is configured.
 */
export class Known {
  readonly verdict: Refused;
  /** The server's own certificate: the first one. */
  readonly leaf: Certificate | undefined;
  /** The certificates that were sent along with it, or that follow it in the file. */
  readonly others: readonly Certificate[];

  constructor(verdict: Refused) {
    this.verdict = verdict;
    [this.leaf, ...this.others] = verdict.presented;
  }

  /** The certificates are from a file: no server has presented them. */
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

  /** A configured hash belongs to the first certificate, but as a pin of the other kind. This is the pin with the right kind. */
  get confusedPin(): Pin | undefined {
    const { pins, issuerPins } = this.verdict.policy;
    return this.#match(this.leaf, otherKind([...pins, ...issuerPins]));
  }

  /** The first certificate has the key of a pinned certificate whose content is known. */
  get hasPinnedKey(): boolean {
    const key = this.leaf?.publicKeySha256 ?? null;
    return key !== null && this.#pinned.some(({ publicKeySha256 }) => publicKeySha256 === key);
  }

  /** A pinned certificate names the host, and the first certificate does not. If a pin is only a hash, its names are unknown. */
  get hasLostName(): boolean {
    return !this.namesHost && this.#pinned.some((certificate) => namesHost(certificate, this.host));
  }

  get namesHost(): boolean {
    return this.leaf !== undefined && namesHost(this.leaf, this.host);
  }

  /**
   * The configured pin of a CA that has signed the first certificate, by a chain of verified signatures. The CA is pinned in a way that cannot
   * match: among `pins`, or as a pin of the other kind. This is the pin with the right kind.
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

  /** A certificate that was sent along has a configured hash. This proves nothing about the sender. */
  get isPinnedSentAlong(): boolean {
    const { pins, issuerPins } = this.verdict.policy;
    const all = [...pins, ...issuerPins];
    return this.others.some((certificate) => this.#match(certificate, [...all, ...otherKind(all)]) !== undefined);
  }

  /** A pin may be a CA's: it is only a hash, and the certificate names another one as its issuer. */
  get mayBeOfCa(): boolean {
    const { pins } = this.verdict.policy;
    return this.leaf?.selfSigned === false && pins.some((pin) => this.#isHashAlone(pin));
  }

  /** An issuer is pinned only by its hash, and the sent chain has no self-signed certificate at its end. */
  get lacksIssuer(): boolean {
    const isHashAlone = this.verdict.policy.issuerPins.some((pin) => this.#isHashAlone(pin));
    return isHashAlone && this.#signers().every(({ selfSigned }) => !selfSigned);
  }

  #isHashAlone(pin: Pin): boolean {
    return this.verdict.policy.knownCertificates.every((one) => this.#match(one, [pin]) === undefined);
  }

  /** The first certificate, and each certificate that has issued it or one of its issuers, by a verified signature. */
  #signers(): readonly Certificate[] {
    return signersOf(this.verdict.presented);
  }

  /** The pinned certificates whose content is known: from the configuration, or sent along with a pinned hash. */
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
 * The first of `certificates`, and the later ones that have signed it or one of its signers: with the CA bit and a verified signature. A
 * certificate that is only sent along is not among them.
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
