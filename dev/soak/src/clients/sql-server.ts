import { pinnedMssql, pinnedTedious } from 'certpin/mssql';
import { mssql, openTedious, tedious } from '../../../../packages/certpin/test/drivers.ts';
import { expectCanary, nodeErrors, type SoakClient } from '../client.ts';
import { poolOf } from '../pool.ts';

export const sqlServerClients: readonly SoakClient[] = [
  {
    name: 'tedious',
    server: 'tds',
    connectionErrors: [...nodeErrors, 'ESOCKET'],
    open: ({ host, port, login }, pins, connections) => {
      const { user: userName, password, database } = login;
      const authentication = { type: 'default' as const, options: { userName, password } };
      const config = pinnedTedious({ server: host, authentication, options: { port, database } }, { pins });
      return poolOf(async () => {
        const connection = new tedious.Connection(config);
        let isOpen = true;
        connection.on('end', () => {
          isOpen = false;
        });
        const { ask, close } = await openTedious(tedious, connection);
        return { isOpen: () => isOpen, exchange: async () => expectCanary(await ask('canary')), close };
      }, connections);
    },
  },
  {
    name: 'mssql',
    server: 'tds',
    connectionErrors: [...nodeErrors, 'ESOCKET'],
    open: ({ host, port, login }, pins, connections) => {
      const config = pinnedMssql({ server: host, port, ...login, pool: { max: connections } }, { pins });
      const pool = new mssql.ConnectionPool(config);
      pool.on('error', () => undefined); // idle connections end too
      const opened = pool.connect();
      return {
        exchange: async () => {
          await opened;
          const { recordset } = await pool.request().input('text', 'canary').query('SELECT @text AS answer');
          expectCanary(recordset[0]?.answer);
        },
        close: () => pool.close(),
      };
    },
  },
];
