import { inlineBlock, inlineClients } from '../../../../packages/auth0/src/inline/index.ts';
import { blockClients, evaluate } from '../../../../packages/auth0/test/inline/block-clients.ts';
import type { NamedClient } from '../../../../packages/certpin/test/suite-clients.ts';
import { suiteClients } from '../../../../packages/certpin/test/suite-clients.ts';
import { seen } from '../client.ts';

/** Nobody is ever logged in. */
const login = () => ({ user: 'user', password: 'certpin-canary-password', database: 'users' });

/** The clients of the conformance suite, and those of the pasted blocks: `block pg`. */
export function hostileClients(proxyUrl: () => string): readonly NamedClient[] {
  const ofBlocks = blockClients(login);
  return [
    ...suiteClients({ login, proxyUrl }),
    ...inlineClients.map((client): NamedClient => {
      const { protocol, create } = ofBlocks[client];
      const block = evaluate(inlineBlock(client).text);
      const createClient: NamedClient['createClient'] = (...args) => create(block, ...args);
      return { ...(client === 'mongodb' ? seen : {}), name: `block ${client}`, protocol, pools: true, createClient };
    }),
  ];
}

export const hostileClientNames: readonly string[] = hostileClients(() => '').map(({ name }) => name);
