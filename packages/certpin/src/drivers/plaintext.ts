import { CertpinError } from '../errors.ts';

/** The error of a client that was sent to a server without TLS. It names only the protocol of the URL: the rest may hold secrets. */
export function plaintextRefused(protocol: string): CertpinError<'ERR_PLAINTEXT_REFUSED'> {
  const message = `a pinned client makes no ${protocol} request, because without TLS there is nothing to pin; use https:`;
  return new CertpinError('ERR_PLAINTEXT_REFUSED', message, { protocol });
}
