import type { TLSSocket } from 'node:tls';
import { CertpinError } from '../errors.ts';
import { type Problem, type RefusalCode, tried } from './checks.ts';
import { type CertificateEvidence, readEvidence } from './evidence.ts';
import type { Judge } from './intercept.ts';
import type { Pin } from './pin.ts';
import type { LeafPolicy } from './policy.ts';
import { takeLeaf } from './presented.ts';
import type { ServerIdentity } from './server-name.ts';
import { verifyLeaf } from './verify-leaf.ts';

/** A refusal by the leaf alone. */
interface LeafRefusal extends Problem, ServerIdentity {
  readonly ok: false;
  readonly presented: readonly CertificateEvidence[];
  readonly policy: LeafPolicy;
}

/** One verdict on the leaf for each handshake. */
export function judgeLeaf(socket: TLSSocket, policy: LeafPolicy, server: ServerIdentity): Judge {
  const refusal = (): Error | undefined => {
    let leaf: CertificateEvidence | undefined;
    const problem = tried<Problem | undefined>(
      () => {
        leaf = leafOf(socket);
        const facts = { tlsVersion: socket.getProtocol(), sessionReused: socket.isSessionReused() };
        return verifyLeaf(leaf, facts, policy, new Date());
      },
      (unreadable) => unreadable,
    );
    if (problem === undefined) return undefined;
    const presented = leaf === undefined ? [] : [leaf];
    return refusalError({ ok: false, ...problem, ...server, presented, policy });
  };
  return { refusal };
}

function leafOf(socket: TLSSocket): CertificateEvidence | undefined {
  const x509 = takeLeaf(socket);
  return x509 && readEvidence(x509);
}

/** The fact, and the hashes in spellings that can be compared and pasted. It contains nothing that the server has written. */
function refusalError(verdict: LeafRefusal): CertpinError<RefusalCode, { readonly verdict: LeafRefusal }> {
  const { code, reason, host, port, presented, policy } = verdict;
  const [shown = 'nothing'] = presented.map(
    ({ certificateSha256, publicKeySha256 }) => `${certificateSha256} or sha256:${publicKeySha256 ?? 'none'}`,
  );
  const pinned = policy.pins.map(({ kind, sha256 }: Pin) => (kind === 'certificate' ? sha256 : `sha256:${sha256}`));
  const message = `${reason} for ${host}:${port}; presented: ${shown}; pinned: ${pinned.join(', ')}`;
  return new CertpinError(code, message, { verdict });
}
