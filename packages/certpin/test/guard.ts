// One connection under a policy. The pinner of a policy is made once, as by an adapter, so that its connections share what one
// configuration shares.
import type { TLSSocket } from 'node:tls';
import type { ServerPolicies } from '../src/core/host-policies.ts';
import type { Pinner } from '../src/leaf/pinner.ts';
import { createPinner } from '../src/tls/guard.ts';
import type { OpenTunnel } from '../src/wire/tunnel.ts';

const pinners = new WeakMap<object, Pinner>();

export function guard(connection: {
  readonly options: Parameters<Pinner['open']>[0];
  readonly policy: ServerPolicies | 'verify';
  readonly connectTimeoutMs?: number;
  readonly tunnel?: OpenTunnel;
}): TLSSocket {
  const { options, policy, connectTimeoutMs = 0, tunnel } = connection;
  const known = typeof policy === 'object' && tunnel === undefined ? pinners.get(policy) : undefined;
  const pinner = known ?? createPinner({ policies: policy, connectTimeoutMs, tunnel });
  if (typeof policy === 'object' && tunnel === undefined) pinners.set(policy, pinner);
  return pinner.open(options, connectTimeoutMs);
}
