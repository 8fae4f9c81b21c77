import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { Certificate } from '../core/certificate.ts';
import type { Peer } from '../core/verdict.ts';
import { CertpinError } from '../errors.ts';
import { noVerification, openTls } from '../leaf/handshake.ts';
import { ownOptions } from '../leaf/options.ts';
import { takeLeaf } from '../leaf/presented.ts';
import { chainOf, describePeer } from './peer.ts';
import { serverOf, spellName } from './server.ts';

/** Explains a failure. `wasShown`: the server had shown its certificate before. */
type Explain = (error: Error, wasShown: boolean) => Error;

/**
 * Makes a handshake, hands over what the server presented, and closes. No application byte can be sent on the connection, so a `minVersion`
 * before TLS 1.2 is accepted.
 *
 * A completed handshake proves that the server owns the key of its certificate (RFC 8446 §4.4.3, RFC 5246 §7.4.3).
 */
export function observe(given: ConnectionOptions, explain: Explain = (error) => error): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const own = ownOptions(given);
    const server = serverOf(own);
    const { minVersion } = own;
    spellName(own);
    const socket = openTls(Object.assign(own, noVerification), undefined, () =>
      minVersion === undefined ? {} : { minVersion },
    );
    socket.once('error', (error) => reject(explain(error, hasShown(socket))));
    const endsEarly = (): void => reject(closedEarly());
    socket.once('close', endsEarly);
    socket.once('secureConnect', () => {
      socket.off('close', endsEarly);
      try {
        resolve(describePeer(socket, presentedBy(socket), server));
      } catch (error) {
        reject(error);
      }
      // Closes in good order: the server sees a connection that ended, and not a failed handshake.
      socket.end(() => socket.destroy());
    });
  });
}

/** Up to TLS 1.2, a server shows its certificate before it checks the client's (RFC 5246 §7.3). At this point, nothing is proven yet. */
function hasShown(socket: TLSSocket): boolean {
  return socket.getPeerX509Certificate() !== undefined;
}

/** Each of them will be shown. A server that sends more than these wants to keep us busy. */
const MAX_PRESENTED = 64;

function presentedBy(socket: TLSSocket): Certificate[] {
  const presented = chainOf(takeLeaf(socket), MAX_PRESENTED);
  return presented.map((certificate) => new Certificate(certificate));
}

function closedEarly(): CertpinError<'ERR_CONNECTION_CLOSED'> {
  return new CertpinError('ERR_CONNECTION_CLOSED', 'the server closed the connection before TLS was established', {
    protocol: 'tls',
  });
}
