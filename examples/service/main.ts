/** A service with pins, on real servers: `npm run demo:service`. It works, then another server answers in the place of one of its own. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { certificateHex, mint, startHttpsServer, startTlsServer } from '@certpin/testkit';
import { startPostgres } from '@certpin/testkit/postgres';
import pg from 'pg';
import { bad, chapter, good, line, quote } from '../say.ts';
import { createService } from './service.ts';

const [databaseCertificate, ratesCertificate] = [await mint(), await mint()];
const postgres = await startPostgres({ certificate: databaseCertificate });
const rates = await startHttpsServer({ certificate: ratesCertificate });
const { host, port, user, password, database } = postgres;
const client = new pg.Client({ host, port, user, password, database, ssl: { ca: databaseCertificate.certPem } });
await client.connect();
await client.query("CREATE TABLE users (email text); INSERT INTO users VALUES ('ada@example.com')");
await client.end();

const logged: string[] = [];
const service = createService({
  database: { host, port, user, password, database },
  databasePins: certificateHex(databaseCertificate),
  ratesUrl: `https://${rates.host}:${rates.port}/rates`,
  ratesPins: certificateHex(ratesCertificate),
  log: (text) => logged.push(text),
}).listen(0, '127.0.0.1');
await once(service, 'listening');
const own = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;

async function call(path: string): Promise<void> {
  const response = await fetch(`${own}${path}`);
  const tell = response.ok ? good : bad;
  tell(`GET ${path} → ${response.status} ${await response.text()}`);
}

try {
  chapter('A database and an API, each with its self-signed certificate');
  await call('/users');
  await call('/rates');

  chapter('Another server answers in the place of the API');
  await rates.close();
  const impostor = await startTlsServer({ certificate: await mint(), port: rates.port });
  await call('/rates');
  line('the log of the service:');
  quote(logged.at(-1) ?? '');
  line(`the other server received ${impostor.received()} bytes`);
  await call('/users');
  await impostor.close();
} finally {
  service.close();
  await postgres.stop();
}
