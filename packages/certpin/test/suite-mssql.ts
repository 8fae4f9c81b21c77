import { askingClient } from '@certpin/testkit/clients';
import type { SuiteAdapter, SuiteTarget, SuiteTls } from '@certpin/testkit/conformance';
import { pinnedMssql, pinnedTedious } from 'certpin/mssql';
import mssql from 'mssql';
import tedious from 'tedious';
import { openTedious } from './adapters/tedious-database.ts';

type NamedClient = Omit<SuiteAdapter, 'startServer'>;

/** The scripted SQL Server takes any login. */
const ofScript = { user: 'app', password: 'secret', database: 'app' };
const noHeader = { 'host header': 'its protocol has no Host header' };
const inPackets = { 'TLS 1.3': 'in TDS packets there is only TLS 1.2' };

/** TLS options of the suite in those of tedious. */
function tediousTls({ servername, ...details }: SuiteTls) {
  return { ...(servername === undefined ? {} : { serverName: servername }), cryptoCredentialsDetails: details };
}

function tediousConfig({ host, port }: SuiteTarget, tls: SuiteTls, encrypt: true | 'strict' = true) {
  const { user: userName, password, database } = ofScript;
  const authentication = { type: 'default' as const, options: { userName, password } };
  return { server: host, authentication, options: { port, database, encrypt, ...tediousTls(tls) } };
}

/** The clients of SQL Server. */
export const mssqlClients: readonly NamedClient[] = [
  {
    name: 'tedious',
    protocol: 'tds',
    pools: true,
    keepsConfiguration: false,
    cannot: { ...noHeader, ...inPackets },
    createClient: (target, policy, tls) => {
      const config = pinnedTedious(tediousConfig(target, tls), policy);
      return askingClient(() => openTedious(tedious, new tedious.Connection(config)));
    },
  },
  {
    name: 'tedious, strict',
    protocol: 'tls',
    pools: true,
    cannot: noHeader,
    createClient: (target, policy, tls) => {
      const config = pinnedTedious(tediousConfig(target, tls, 'strict'), policy);
      return askingClient(() => openTedious(tedious, new tedious.Connection(config)));
    },
  },
  {
    name: 'mssql',
    protocol: 'tds',
    pools: true,
    keepsConfiguration: false,
    cannot: { ...noHeader, ...inPackets },
    createClient: ({ host, port }, policy, tls) => {
      const { user, password, database } = ofScript;
      const options = tediousTls(tls);
      const config = pinnedMssql({ server: host, port, user, password, database, options }, policy);
      return askingClient(async () => {
        // It makes a connection, and ends it, before its pool is made.
        const pool = await new mssql.ConnectionPool({ ...config }).connect();
        pool.on('error', () => undefined);
        return {
          ask: async (text) =>
            (await pool.request().input('text', text).query('SELECT @text AS answer')).recordset[0]?.answer,
          close: () => pool.close(),
        };
      });
    },
  },
];
