import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Certificate } from '../../core/certificate.ts';
import type { Policy } from '../../core/policy-type.ts';
import type { Matched, Peer, Verdict } from '../../core/verdict.ts';

// Saves the reading of a certificate that was read before, and the comparison of its hash with the pins. It never decides about a
// certificate. It repeats what `verify` said of the same bytes, for the same server, under the same pins, within the validity.

/** A matching verdict, and what it depends on. */
export interface KnownVerdict {
  readonly verdict: Matched;
  readonly peer: Peer;
  readonly pins: Policy['pins'];
  readonly issuerPins: Policy['issuerPins'];
  /** The time in which all certificates that the verdict depends on are valid, in milliseconds since 1970. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

/**
 * The conditions for repeating the verdict: `verify` is pure, and its other arguments cannot change.
 *
 * @returns undefined for a refusal, and if the verdict depends on something that certpin does not decide
 */
export function knownVerdict(verdict: Verdict, peer: Peer, policy: Policy): KnownVerdict | undefined {
  // The verdict on a chain of CAs comes from Node, only in a full handshake. So neither the verdict nor the session is kept.
  if (!verdict.ok || policy.caVerification === 'require') return undefined;
  const { pins, issuerPins } = policy;
  // An issuer vouches through everything that was presented, and through what the pins were made from.
  const certificates =
    verdict.matched === 'leaf' ? [verdict.certificate] : [...verdict.presented, ...policy.knownCertificates];
  const validFromMs = Math.max(...certificates.map(({ validFrom }) => validFrom.getTime()));
  const validToMs = Math.min(...certificates.map(({ validTo }) => validTo.getTime()));
  return { verdict, peer, pins, issuerPins, validFromMs, validToMs };
}

/** Whether the verdict would be the same now for the same server. */
export function stillHolds(known: KnownVerdict, { pins, issuerPins }: Policy, now: number): boolean {
  return known.pins === pins && known.issuerPins === issuerPins && known.validFromMs <= now && now <= known.validToMs;
}

/** The last verdict of each policy: most connections of a policy go to one server with one certificate. */
const lastVerdicts = new WeakMap<Policy, { readonly known: KnownVerdict; readonly der: Uint8Array }>();

/**
 * The verdict of an earlier connection, if the same server presents the same certificate, byte by byte.
 *
 * @param leaf what the server presented in the full handshake that has just ended
 * @returns undefined if anything differs. Then `verify` must be asked
 */
export function repeatVerdict(
  socket: TLSSocket,
  leaf: X509Certificate,
  policy: Policy,
  { host, port }: Pick<Peer, 'host' | 'port'>,
): KnownVerdict | undefined {
  const last = lastVerdicts.get(policy);
  if (last === undefined || !stillHolds(last.known, policy, Date.now())) return undefined;
  const { verdict, peer } = last.known;
  if (verdict.host !== host || verdict.port !== port) return undefined;
  if (socket.getProtocol() !== peer.tlsVersion) return undefined;
  return leaf.raw.equals(last.der) ? last.known : undefined;
}

/** Keeps a verdict for {@link repeatVerdict}. A verdict by an issuer depends on more than the leaf. */
export function rememberVerdict(known: KnownVerdict, policy: Policy): void {
  const { matched, presented } = known.verdict;
  if (matched !== 'leaf' || presented.length !== 1) return;
  const { der } = presented[0] as Certificate;
  lastVerdicts.set(policy, { known, der });
}
