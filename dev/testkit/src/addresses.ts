import type { LookupFunction } from 'node:net';
import type { Minted } from './mint.ts';
import { type CountingServer, type CountingServerOptions, startTlsServer } from './tls-server.ts';

/** A name with several addresses, and a TLS server at each, all at one port. */
export interface Addresses {
  readonly name: string;
  readonly port: number;
  readonly addresses: readonly string[];
  /** undefined: nothing listens there. */
  readonly servers: readonly (CountingServer | undefined)[];
  /** Knows this name alone. */
  readonly lookup: LookupFunction;
  readonly close: () => Promise<void>;
}

/** @param certificates one for each address, 127.0.0.1, 127.0.0.2 and so on. undefined: nothing listens there */
export async function startAddresses(
  certificates: readonly (Minted | undefined)[],
  {
    name = 'several.example',
    ...options
  }: { readonly name?: string } & Omit<CountingServerOptions, 'certificate'> = {},
): Promise<Addresses> {
  const addresses = certificates.map((_, index) => `127.0.0.${index + 1}`);
  const servers: (CountingServer | undefined)[] = [];
  let port = 0;
  for (const [index, certificate] of certificates.entries()) {
    const host = addresses[index] as string;
    const server = certificate && (await startTlsServer({ ...options, certificate, host, port }));
    port = server?.port ?? port;
    servers.push(server);
  }
  return {
    ...{ name, port, addresses, servers },
    lookup: (host, { all, family }, done) => {
      const known = family === 6 || host !== name ? [] : addresses;
      const [first] = known;
      if (first === undefined) {
        done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), '');
      } else if (all) {
        done(
          null,
          known.map((address) => ({ address, family: 4 })),
        );
      } else done(null, first, 4);
    },
    close: async () => {
      await Promise.all(servers.map((server) => server?.close()));
    },
  };
}
