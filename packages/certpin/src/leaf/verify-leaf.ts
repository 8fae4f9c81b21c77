import {
  type HandshakeFacts,
  handshakeProblem,
  matchPin,
  mismatch,
  NONE_PRESENTED,
  type Problem,
  validityProblem,
} from './checks.ts';
import type { CertificateEvidence } from './evidence.ts';
import type { LeafPolicy } from './policy.ts';

/**
 * Decides by the leaf alone whether a server is the pinned one.
 *
 * @param leaf undefined: the server presented no certificate
 * @returns undefined: the connection may be used
 */
export function verifyLeaf(
  leaf: CertificateEvidence | undefined,
  facts: HandshakeFacts,
  { pins, expired }: LeafPolicy,
  now: Date,
): Problem | undefined {
  const problem = handshakeProblem(facts);
  if (problem !== undefined) return problem;
  if (leaf === undefined) return NONE_PRESENTED;
  if (matchPin(leaf, pins) === undefined) return mismatch(leaf, pins);
  return validityProblem(leaf, now, expired);
}
