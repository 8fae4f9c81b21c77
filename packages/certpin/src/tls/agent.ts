import type { AgentOptions } from 'node:https';
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from 'node:tls';
import { refusalError } from '../core/explain.ts';
import { policiesFor } from '../core/host-policies.ts';
import { verify } from '../core/verify.ts';
import { PinnedAgent } from '../drivers/agent.ts';
import { ownOptions } from '../leaf/options.ts';
import { watchOpen } from './attempt.ts';
import { createPinner, type PinnerConfig } from './guard.ts';
import { configuredNameOf, noteRequestNames } from './request-name.ts';
import { serverOf } from './server.ts';

/** The agent of the package. The server name may also come from a request, and a copy of its options contains the pin. */
export class FullAgent extends PinnedAgent {
  /** @param client the subpath to which the agent belongs */
  constructor(options: AgentOptions, config: PinnerConfig, client: string) {
    const { servername } = ownOptions(options);
    super(
      options,
      watchOpen(createPinner(config), client),
      function (this: ConnectionOptions | undefined, name: string, certificate: PeerCertificate) {
        // Node calls this on the options of the connection. Their host is the dialled one, but the name may come from a header.
        const host = (this === undefined ? name : this.host) ?? '';
        return checkIdentity(serverOf({ servername, host } as ConnectionOptions).names, certificate, config.policies);
      },
      configuredNameOf,
    );
    noteRequestNames(this);
  }
}

/** It must return its error: an exception from here would be uncaught. */
function checkIdentity(
  names: readonly string[],
  certificate: PeerCertificate,
  policies: PinnerConfig['policies'],
): Error | undefined {
  try {
    const [host] = names;
    for (const policy of policiesFor(policies, names)) {
      if (policy === 'verify') return checkServerIdentity(host ?? '', certificate);
      const verdict = verify({ host, certificates: [certificate.raw], authorized: true }, policy);
      if (!verdict.ok) return refusalError(verdict);
    }
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
