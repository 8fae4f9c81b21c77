import type { X509Certificate } from 'node:crypto';
import type { Credentials, Forger } from './mint.ts';
import type { ImpostorName } from './report.ts';

/** A name that belongs to nobody here: RFC 2606 §2. */
const ANOTHER_NAME = 'impostor.example';

/** The remaining life of a certificate that expires while the script connects. It is longer than a script takes to start and to connect. */
export const BRIEF_MS = 60_000;

/** Impostors with a certificate, in the order of a report. The genuine chain decides which of them differ. */
export function impostorsFor(forger: Forger): readonly ImpostorName[] {
  return [
    'another-key',
    ...(forger.isSelfSigned ? [] : (['self-signed'] as const)),
    'genuine-chain',
    ...(forger.isSelfSigned ? [] : (['genuine-issuer'] as const)),
    'trusted-ca',
    'trusted-namesake',
    'trusted-chain',
    'another-name',
    'asked-name',
    'common-name',
    'expired',
    'expiring',
    'renewed',
    'stolen-certificate',
    'plaintext',
  ];
}

export interface Costume {
  /** undefined: it refuses TLS. */
  readonly credentials: Credentials | undefined;
  readonly forName?: (name: string) => Promise<Credentials>;
  readonly stolenChain?: readonly X509Certificate[];
}

/**
 * What an impostor presents.
 *
 * @param host the name to use if a script asks for none
 */
export async function dress(
  impostor: ImpostorName,
  forger: Forger,
  chain: readonly X509Certificate[],
  host: string,
): Promise<Costume> {
  switch (impostor) {
    case 'another-key':
      return { credentials: await forger.anotherKey() };
    case 'self-signed':
      return { credentials: await forger.selfSigned() };
    case 'genuine-chain':
      return { credentials: await forger.genuineChain() };
    case 'genuine-issuer':
      return { credentials: await forger.genuineIssuer() };
    case 'trusted-ca':
      return { credentials: await forger.trusted() };
    case 'trusted-namesake':
      return { credentials: await forger.trustedNamesake() };
    case 'trusted-chain':
      return { credentials: await forger.trustedChain() };
    case 'another-name':
      return { credentials: await forger.forName(ANOTHER_NAME, ANOTHER_NAME) };
    case 'asked-name': {
      const forName = (name: string): Promise<Credentials> => forger.forName(name, ANOTHER_NAME);
      return { credentials: await forName(host), forName };
    }
    case 'common-name': {
      const forName = (name: string): Promise<Credentials> => forger.forCommonName(name);
      return { credentials: await forName(host), forName };
    }
    case 'expired':
      return { credentials: await forger.expired() };
    case 'expiring':
      return { credentials: await forger.expiring(BRIEF_MS) };
    case 'renewed':
      return { credentials: await forger.renewed() };
    case 'stolen-certificate':
      return { credentials: await forger.selfSigned(), stolenChain: chain };
    case 'plaintext':
      return { credentials: undefined };
  }
}
