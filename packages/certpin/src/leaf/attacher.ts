import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { takeOver } from './handshake.ts';
import { intercept } from './intercept.ts';
import { judgeLeaf } from './judge.ts';
import { ownOptions, readConnectTimeout } from './options.ts';
import type { LeafPinnerOptions } from './pinner.ts';
import { createLeafPolicy } from './policy.ts';
import { calledServer } from './server-name.ts';

/** All that an adapter sees of a policy if its client makes its own connections. */
export interface Attacher {
  /**
   * Puts the policy on a TLS socket that a client has made itself, before it connects. From then on, the socket behaves as if a pinner had
   * opened it.
   *
   * @param options the very object that Node reads when the handshake of this socket ends. It is changed: the judge decides, not Node
   * @param name the server name that the configuration gives. The name in `options` may come from a request: Node's agent takes it from a
   * header
   * @throws CertpinError `ERR_HOST_UNPINNED`. Then nothing was changed, and the socket must not connect
   */
  attach(socket: TLSSocket, options: ConnectionOptions, name: string | undefined): TLSSocket;
}

/**
 * The attacher that decides by the leaf alone.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`
 */
export function createLeafAttacher(options: LeafPinnerOptions): Attacher {
  const { connectTimeoutMs, ...others } = ownOptions(options ?? {});
  const policy = createLeafPolicy(others);
  const limit = readConnectTimeout(connectTimeoutMs);
  return {
    attach: (socket, given, servername) => {
      const server = calledServer(Object.assign(ownOptions(given), { servername }));
      return intercept(takeOver(socket, given, limit), judgeLeaf(socket, policy, server));
    },
  };
}
