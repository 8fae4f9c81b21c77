import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { hostUnpinned, policiesFor, type ServerPolicies } from '../core/host-policies.ts';
import type { Policy } from '../core/policy-type.ts';
import type { Attacher } from '../leaf/attacher.ts';
import { takeOver } from '../leaf/handshake.ts';
import { intercept } from '../leaf/intercept.ts';
import { ownOptions } from '../leaf/options.ts';
import { watchAttempt } from './attempt.ts';
import type { PinnerConfig } from './guard.ts';
import { judgeBoth, judgeConnection } from './judge.ts';
import { serverOf, spellName } from './server.ts';
import { Reuse, sessionsOf } from './speed/reuse.ts';

/** The attacher of the package: policies by host, issuers, and live pins. Each connection is an attempt of `client`. */
export function createAttacher({ policies, connectTimeoutMs }: PinnerConfig, client: string): Attacher {
  const attach = (socket: TLSSocket, given: ConnectionOptions, called: ConnectionOptions): TLSSocket => {
    const server = serverOf(called);
    policiesFor(policies, server.names);
    // The server name that is sent may require more. It never replaces the server that is called.
    const [one, other] = policiesFor(policies, [...server.names, ...serverOf(ownOptions(given)).names]);
    // The context of such a socket trusts no CA. A policy that lets Node decide was refused when the configuration was made.
    if (one === 'verify') throw hostUnpinned(server.names);
    spellName(given);
    takeOver(socket, given, connectTimeoutMs);
    if (other !== undefined) return intercept(socket, judgeBoth(socket, [one, other as Policy], server));
    const reuse = new Reuse({ ...server, policy: one, sessions: sessionsOf(policies as ServerPolicies) });
    return intercept(socket, judgeConnection(socket, one, server, reuse));
  };
  return {
    attach: (socket, options, servername) => {
      const called = Object.assign(ownOptions(options), { servername });
      return watchAttempt(client, called, () => attach(socket, options, called));
    },
  };
}
