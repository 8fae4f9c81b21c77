import type { TLSSocket } from 'node:tls';
import type { Policy } from '../core/policy.ts';
import type { Matched, Peer, Verdict } from '../core/verify.ts';
import { presents } from './session-certificate.ts';

/** A matching verdict, and what it was given for. */
interface Known {
  readonly verdict: Matched;
  readonly peer: Peer;
  readonly pins: Policy['pins'];
  /** The leaf, one character for each byte. */
  readonly der: string;
  /** Its validity, in milliseconds since 1970. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** The last one of each policy: most connections of a policy go to one server, which presents one certificate. */
const knownVerdicts = new WeakMap<Policy, Known>();

/**
 * The verdict of an earlier connection, where it must be the same for this one. `verify` is pure: the same certificate, byte by
 * byte, presented in a full handshake by the same server to the same pins, at a time within its validity, gets the same answer.
 *
 * @returns undefined where anything differs: then `verify` is to be asked
 */
export function repeatVerdict(
  socket: TLSSocket,
  policy: Policy,
  { host, port }: Pick<Peer, 'host' | 'port'>,
): Known | undefined {
  const known = knownVerdicts.get(policy);
  if (known === undefined || known.pins !== policy.pins) return undefined;
  const { verdict, peer } = known;
  if (verdict.host !== host || verdict.port !== port) return undefined;
  if (socket.isSessionReused() || socket.getProtocol() !== peer.tlsVersion) return undefined;
  const now = Date.now();
  return known.validFromMs <= now && now <= known.validToMs && presents(socket, known.der) ? known : undefined;
}

/** Keeps a verdict for {@link repeatVerdict}, if it depends on nothing but what is compared there. */
export function rememberVerdict(verdict: Verdict, peer: Peer, policy: Policy): void {
  if (!verdict.ok || verdict.matched !== 'leaf' || policy.caVerification === 'require') return;
  if (peer.certificates.length !== 1) return; // the verdict names all that was presented
  const { der, validFrom, validTo } = verdict.certificate;
  knownVerdicts.set(policy, {
    verdict,
    peer,
    pins: policy.pins,
    der: Buffer.from(der).toString('latin1'),
    validFromMs: validFrom.getTime(),
    validToMs: validTo.getTime(),
  });
}
