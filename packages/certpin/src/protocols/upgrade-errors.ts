import { CertpinError, type CertpinErrorDetails } from '../errors.ts';

/** `message` contains no text of the server, because it may be anybody's. */
export function upgradeError<
  Code extends 'ERR_UPGRADE_REFUSED' | 'ERR_UPGRADE_UNEXPECTED' | 'ERR_UPGRADE_INJECTED' | 'ERR_CONNECTION_CLOSED',
>(code: Code, protocol: string, message: string): CertpinError<Code> {
  return new CertpinError(code, message, { protocol } as CertpinErrorDetails[Code]);
}

/** The server was understood. It offers no TLS, or turns the client away. */
export function refused(protocol: string, message: string): CertpinError<'ERR_UPGRADE_REFUSED'> {
  return upgradeError('ERR_UPGRADE_REFUSED', protocol, message);
}

/** As {@link refused}, for bytes that are not of the protocol. */
export function unexpected(protocol: string, message: string): CertpinError<'ERR_UPGRADE_UNEXPECTED'> {
  return upgradeError('ERR_UPGRADE_UNEXPECTED', protocol, message);
}

/** @param count bytes after the consent, in the same piece */
export function injected(protocol: string, count: number): CertpinError<'ERR_UPGRADE_INJECTED'> {
  const message = `${count} plaintext bytes followed the server's consent to TLS: somebody injected them`;
  return upgradeError('ERR_UPGRADE_INJECTED', protocol, message);
}

/** The connection was closed in the middle of the conversation. */
export function closedEarly(protocol: string): CertpinError<'ERR_CONNECTION_CLOSED'> {
  const message = 'the server closed the connection before TLS was established';
  return upgradeError('ERR_CONNECTION_CLOSED', protocol, message);
}
