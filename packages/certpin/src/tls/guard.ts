import { type ConnectionOptions, checkServerIdentity, type TLSSocket } from 'node:tls';
import { INLINE } from '../core/form.ts';
import { policyFor, type ServerPolicies } from '../core/host-policies.ts';
import type { Policy } from '../core/policy.ts';
import { noVerification, type OpenTunnel, openTls } from './handshake.ts';
import { intercept } from './intercept.ts';
import { judgeConnection, judgeLeaf } from './judge.ts';
import { Reuse } from './reuse.ts';
import { identity, type ServerIdentity } from './server-name.ts';

/** A connection to be guarded: the options of `tls.connect`, and the name of the server for verdict and error. */
export interface GuardedConnection {
  readonly options: ConnectionOptions;
  readonly policy: ServerPolicies | 'verify';
  /** Where a proxy stands before the server. */
  readonly tunnel?: OpenTunnel | undefined;
  /** Whom the caller meant, where it differs from `options`: with a given socket the options name no host. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Milliseconds until the attempt is given up; 0, or undefined: never. */
  readonly connectTimeoutMs?: number | undefined;
}

/**
 * Opens a TLS connection that nobody can use before its verdict.
 *
 * Returned at once, still connecting, like `tls.connect`'s. `secureConnect` is emitted only after a matching verdict. On a refusal
 * the socket is destroyed with the error in the same tick in which the handshake ends, and whatever had been written is dropped:
 * a check in a later tick is too late, for then the queued bytes have left.
 *
 * Under the ordinary verification Node itself keeps `secureConnect` back and destroys the socket, in the same tick.
 *
 * @throws CertpinError `ERR_HOST_UNPINNED` before anything is opened
 */
export function guard(connection: GuardedConnection): TLSSocket {
  const { options, policy, connectTimeoutMs, tunnel } = connection;
  const server = identity(connection);
  const pinned = { ...options, ...noVerification };
  if (INLINE) {
    const socket = openTls({ options: pinned, connectTimeoutMs });
    return intercept(socket, judgeLeaf(socket, policy as Policy, server));
  }
  const own = policyFor(policy, server.host);
  if (own === 'verify')
    return openTls({ options: { ...options, ...ordinaryVerification(server) }, connectTimeoutMs, tunnel });
  const reuse = new Reuse({ ...server, owner: policy as object, policy: own, way: tunnel });
  const socket = openTls({ options: pinned, connectTimeoutMs, tunnel, reuse });
  return intercept(socket, judgeConnection(socket, own, server, reuse));
}

/** As Node does by default, whatever NODE_TLS_REJECT_UNAUTHORIZED says, and by the host that the verdict would name. */
function ordinaryVerification({ host = '' }: ServerIdentity): ConnectionOptions {
  return {
    rejectUnauthorized: true,
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  };
}
