import { pinnedLdapts } from 'certpin/ldap';
import { LdapClient } from '../../../../packages/certpin/test/drivers.ts';
import { nodeErrors, type SoakClient } from '../client.ts';
import { poolOf } from '../pool.ts';

const calls = ['BindRequest (0x60)', 'SearchRequest (0x63)'];
/** The error of a call that is in progress when its connection ends. ldapts puts the reason into a line of its own. */
const connectionErrors = calls.flatMap((call) => [
  `Socket error. Message type: ${call}`,
  `Connection closed before message response was received. Message type: ${call}`,
]);

/** With StartTLS: the longer way to TLS. */
export const ldapts: SoakClient = {
  name: 'ldapts',
  server: 'ldap',
  connectionErrors: [...nodeErrors, ...connectionErrors],
  open: ({ host, port, login }, pins, connections) => {
    const options = pinnedLdapts({ url: `ldap://${host}:${port}` }, { pins });
    return poolOf(async () => {
      const client = new LdapClient(options);
      await client.bind(login.user, login.password);
      return {
        isOpen: () => client.isConnected,
        exchange: async () => {
          const { searchEntries } = await client.search(login.database, { scope: 'sub', filter: '(cn=login)' });
          if (searchEntries[0]?.dn !== login.user) throw new Error('the server gave another answer');
        },
        close: () => client.unbind(),
      };
    }, connections);
  },
};
