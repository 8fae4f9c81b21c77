import { CertpinError } from '../core/errors.ts';

/** The server was understood, and offers no TLS or turns the client away. `message` repeats no text of the server: it is anybody's. */
export function refused(protocol: string, message: string): CertpinError<'ERR_UPGRADE_REFUSED'> {
  return new CertpinError('ERR_UPGRADE_REFUSED', message, { protocol });
}

/** As {@link refused}, for what is not of the protocol. */
export function unexpected(protocol: string, message: string): CertpinError<'ERR_UPGRADE_UNEXPECTED'> {
  return new CertpinError('ERR_UPGRADE_UNEXPECTED', message, { protocol });
}

/** @param count bytes behind the consent, in what came with it */
export function injected(protocol: string, count: number): CertpinError<'ERR_UPGRADE_INJECTED'> {
  const message = `${count} plaintext bytes followed the server's consent to TLS: somebody injected them`;
  return new CertpinError('ERR_UPGRADE_INJECTED', message, { protocol });
}

/** The connection was closed in the middle of the conversation. */
export function closedEarly(protocol: string): CertpinError<'ERR_CONNECTION_CLOSED'> {
  const message = 'the server closed the connection before TLS was established';
  return new CertpinError('ERR_CONNECTION_CLOSED', message, { protocol });
}
