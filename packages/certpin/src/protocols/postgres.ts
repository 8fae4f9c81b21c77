import { CertpinError } from '../errors.ts';
import type { UpgradeProtocol, UpgradeStep } from './contract.ts';
import { injected, upgradeError } from './upgrade-errors.ts';

const name = 'postgres';

/** SSLRequest: length 8, code 80877103 (PostgreSQL documentation, "Message Formats"). It names no user and no database. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);

/** The server accepts a direct TLS connection only with this ALPN name (PostgreSQL 17, "SSL Session Encryption"). */
export const POSTGRES_ALPN = 'postgresql';

/**
 * Reads `sslnegotiation`, as libpq spells it. @returns whether TLS starts without the upgrade request
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function isDirect(negotiation: string | null | undefined, where: string): boolean {
  if (negotiation == null || negotiation === '' || negotiation === 'postgres') return false;
  if (negotiation === 'direct') return true;
  throw new CertpinError('ERR_OPTION_INVALID', `${where}: \`sslnegotiation\` must be 'postgres' or 'direct'`, {
    option: 'sslnegotiation',
  });
}

/**
 * The error if a server did not choose {@link POSTGRES_ALPN} on a direct connection. A server that speaks TLS for another protocol may have
 * the same certificate. It must not get a login (PostgreSQL 17, "SSL Session Encryption").
 */
export function noAlpn(): CertpinError<'ERR_UPGRADE_UNEXPECTED'> {
  const message = 'the server did not choose the protocol `postgresql` (ALPN), which a direct TLS connection needs';
  return upgradeError('ERR_UPGRADE_UNEXPECTED', name, message);
}

/** PostgreSQL's SSLRequest: one message, answered by one byte (PostgreSQL documentation, "SSL Session Encryption"). */
export function createPostgresUpgrade(): UpgradeProtocol {
  return { name, opening: SSL_REQUEST, receive };
}

function receive(bytes: Uint8Array): UpgradeStep {
  if (bytes.length === 0) return { next: 'wait' };
  const answer = String.fromCharCode(bytes[0] as number);
  if (answer === 'N')
    throw upgradeError(
      'ERR_UPGRADE_REFUSED',
      name,
      'the PostgreSQL server refuses TLS (its answer to SSLRequest is N)',
    );
  if (answer !== 'S') {
    // The text of an error in plaintext may be anybody's, so it is not shown (CVE-2024-10977).
    const what = answer === 'E' ? 'an error message' : 'something that PostgreSQL does not say';
    throw upgradeError('ERR_UPGRADE_UNEXPECTED', name, `the server answered SSLRequest with ${what}`);
  }
  if (String.fromCharCode(...bytes.subarray(0, 4)) === 'SSH-')
    throw upgradeError('ERR_UPGRADE_UNEXPECTED', name, 'the server speaks SSH, and not PostgreSQL');
  if (bytes.length > 1) throw injected(name, bytes.length - 1);
  return { next: 'tls' };
}
