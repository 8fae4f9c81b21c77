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

/** The agent of the package: the server name may stand in a request too, and whoever copies its options gets the pin with them. */
export class FullAgent extends PinnedAgent {
  /** @param client the subpath whose agent it is */
  constructor(options: AgentOptions, config: PinnerConfig, client: string) {
    const { servername } = ownOptions(options);
    super(
      options,
      watchOpen(createPinner(config), client),
      function (this: ConnectionOptions | undefined, name: string, certificate: PeerCertificate) {
        // Node calls this on the options of the connection. Their host is the one that is dialled; the name may be a header's.
        const host = (this === undefined ? name : this.host) ?? '';
        return checkIdentity(serverOf({ servername, host } as ConnectionOptions).names, certificate, config.policies);
      },
      configuredNameOf,
    );
    noteRequestNames(this);
  }
}

/** Must return what it finds: a throw from here would be an uncaught exception. */
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
