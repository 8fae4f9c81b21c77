import { type ConnectionOptions, checkServerIdentity, type TLSSocket } from 'node:tls';
import { INLINE } from '../core/form.ts';
import { policiesFor, type ServerPolicies } from '../core/host-policies.ts';
import { ownOptions } from '../core/own-options.ts';
import type { Policy } from '../core/policy.ts';
import { noVerification, type OpenTunnel, openTls } from './handshake.ts';
import { intercept } from './intercept.ts';
import { judgeBoth, judgeConnection, judgeLeaf } from './judge.ts';
import { Reuse } from './reuse.ts';
import { type CalledServer, identity, namesOf, type ServerIdentity } from './server-name.ts';

/** A connection to be guarded: the options of `tls.connect`, and whom they are for. */
export interface GuardedConnection extends CalledServer {
  readonly policy: ServerPolicies | 'verify';
  /** Where a proxy stands before the server. */
  readonly tunnel?: OpenTunnel | undefined;
  /** What a request wants to be sent as the server name, where the configuration gives none. It decides nothing. */
  readonly requestedName?: string | null | undefined;
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
  const { policy, requestedName } = connection;
  const own = ownOptions(connection.options);
  const called: CalledServer = { ...connection, options: own };
  const server = identity(called);
  const options = own.servername || requestedName == null ? own : { ...own, servername: requestedName };
  const pinned = { ...options, ...noVerification };
  if (INLINE) {
    const socket = openTls({ options: pinned, connectTimeoutMs: connection.connectTimeoutMs });
    return intercept(socket, judgeLeaf(socket, policy as Policy, server));
  }
  const { connectTimeoutMs, tunnel } = connection;
  const names = namesOf(called);
  const [one, other] = policiesFor(policy, names);
  if (one === 'verify')
    return openTls({ options: { ...options, ...ordinaryVerification(server) }, connectTimeoutMs, tunnel });
  if (other !== undefined) {
    const socket = openTls({ options: pinned, connectTimeoutMs, tunnel });
    return intercept(socket, judgeBoth(socket, [one, other as Policy], server));
  }
  // Both names: they chose the policy.
  const reuse = new Reuse({ ...server, host: names.join(' '), owner: policy as object, policy: one, way: tunnel });
  const socket = openTls({ options: pinned, connectTimeoutMs, tunnel, reuse });
  return intercept(socket, judgeConnection(socket, one, server, reuse));
}

/** As Node does by default, whatever NODE_TLS_REJECT_UNAUTHORIZED says, and by the host that the verdict would name. */
function ordinaryVerification({ host = '' }: ServerIdentity): ConnectionOptions {
  return {
    rejectUnauthorized: true,
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  };
}
