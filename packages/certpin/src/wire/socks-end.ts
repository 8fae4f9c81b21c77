import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CertpinError, findCertpinError } from '../errors.ts';
import type { Address } from '../leaf/pinner.ts';
import { startTimeout } from '../leaf/time-limit.ts';
import {
  createSocks5Server,
  type SocksLogin,
  type SocksReply,
  socksReplies,
  socksReply,
} from '../protocols/socks5-server.ts';
import { carry } from './carry.ts';
import { atPort, controlled, End, type EndControl } from './end.ts';
import { findOwn, LOOPBACK } from './own-sockets.ts';

/** The address of the end for a client of SOCKS, with the property names of MongoDB's driver. */
export interface SocksEnd extends EndControl {
  readonly proxyHost: string;
  readonly proxyPort: number;
  readonly proxyUsername: string;
  readonly proxyPassword: string;
}

/** How long a caller may take to show the secret and to name its server, if no limit is configured. */
const CALLER_LIMIT_MS = 10_000;

/**
 * An end that speaks SOCKS5, for clients that name each server themselves. A caller that knows the secret is let in. The secret is made
 * here, and is of no use anywhere else.
 *
 * @param limitMs how long a caller may take until it has named its server. 0: the default
 */
export async function startSocksEnd(open: (server: Address) => TLSSocket, limitMs: number): Promise<SocksEnd> {
  const login = { user: 'certpin', password: randomBytes(32).toString('base64url') };
  const end = new End((socket) => {
    const stop = startTimeout(limitMs || CALLER_LIMIT_MS, (error) => end.fail({ socket, own: undefined }, error));
    socket.once('close', stop);
    listenTo(socket, login, end, (server) => {
      stop();
      serve(socket, end, () => open(server));
    });
  });
  const { port, close } = await atPort(end);
  const where = { proxyHost: LOOPBACK, proxyPort: port, proxyUsername: login.user, proxyPassword: login.password };
  return controlled(end, where, close);
}

/** Reads what a caller says, up to the name of its server. Then the caller is paused again. */
function listenTo(socket: Socket, login: SocksLogin, end: End, named: (server: Address) => void): void {
  const receive = createSocks5Server(login);
  const onEnd = (): void => void socket.destroy();
  const onData = (bytes: Buffer): void => {
    for (const step of receive(bytes)) {
      if (step.next === 'wait') {
        if (step.bytes !== undefined) socket.write(step.bytes);
        continue;
      }
      // From here on, the end of one direction is passed on, as at the other ends.
      socket.off('data', onData).off('end', onEnd).pause();
      if (step.next === 'close') {
        end.lastError = new CertpinError('ERR_CLIENT_UNSUPPORTED', NO_LOGIN, { client: 'forward' });
        socket.end(step.bytes).destroySoon();
        return;
      }
      if (step.rest.length > 0) socket.unshift(step.rest);
      named(step);
    }
  };
  socket.on('data', onData).once('end', onEnd).resume();
}

const NO_LOGIN =
  'forward: a caller was turned away, because it does not know the login of this end, or asks for something other than CONNECT';

function serve(socket: Socket, end: End, open: () => TLSSocket): void {
  // It has been connected for some time, so its own side is known by now, or never will be. The secret has already let it in.
  findOwn(
    socket,
    (own) => {
      let isOpen = false;
      const opened = (): void => {
        isOpen = true;
        socket.write(socksReply(socksReplies.done));
      };
      carry({ socket, own }, open, opened, (error) => {
        if (isOpen || own !== undefined) return end.fail({ socket, own }, error);
        end.lastError = error;
        socket.end(socksReply(replyTo(error))).destroySoon();
      });
    },
    [],
  );
}

/** The failures for which SOCKS has a reply code. */
function replyTo(error: Error): SocksReply {
  const code = (error as { readonly code?: unknown }).code;
  if (code === 'ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return socksReplies.expired;
  if (findCertpinError(error) !== undefined) return socksReplies.notAllowed;
  if (code === 'ECONNREFUSED') return socksReplies.refused;
  return code === 'ENOTFOUND' ? socksReplies.hostUnreachable : socksReplies.failed;
}
