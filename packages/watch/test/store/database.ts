import type { Postgres } from '@certpin/testkit/postgres';
import { Client, type ClientConfig } from 'pg';

let count = 0;

/** A database of its own, empty: how its server is reached without TLS. */
export async function createDatabase({ host, port, user, password, database }: Postgres): Promise<ClientConfig> {
  const config = { host, port, user, password };
  const client = new Client({ ...config, database });
  await client.connect();
  const name = `watch_${count++}`;
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  return { ...config, database: name };
}
