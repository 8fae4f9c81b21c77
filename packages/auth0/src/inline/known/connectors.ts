import { words } from './words.ts';

/** Options with which a client gets the agent of a request. */
export const AGENTS: ReadonlySet<string> = words('agent httpAgent httpsAgent');

/** Options of a request that decide which connection it takes. */
export const CONNECTORS: ReadonlySet<string> = words(
  'agent httpAgent httpsAgent adapter transport dispatcher proxy createConnection socketPath',
);

/** Methods of an agent that give it a connection. */
export const CONNECTING_METHODS: ReadonlySet<string> = words(
  'emit addRequest createConnection createSocket keepSocketAlive reuseSocket setRequestSocket',
);
