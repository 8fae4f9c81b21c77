import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { findCertpinError } from 'certpin';
import { pinnedPg } from 'certpin/pg';
import { pinnedFetch } from 'certpin/undici';
import pg from 'pg';

export interface ServiceOptions {
  readonly database: pg.PoolConfig;
  /** One or several, with a comma between them: what `certpin get --quiet server.crt` prints on the server. */
  readonly databasePins: string;
  readonly ratesUrl: string;
  readonly ratesPins: string;
  /** A line for the log. It names hosts and certificates, and no secret. */
  readonly log: (line: string) => void;
}

/**
 * A service that talks to a database and to an API, both with self-signed certificates. The clients are made once, when it starts: a pin
 * that cannot be read is an error then, and not at the first request.
 */
export function createService({ database, databasePins, ratesUrl, ratesPins, log }: ServiceOptions): Server {
  const pool = new pg.Pool(pinnedPg(database, { pins: databasePins }));
  pool.on('error', () => undefined); // an idle connection was lost; the next query makes a new one
  const fetchRates = pinnedFetch({ pins: ratesPins });

  const routes: Readonly<Record<string, () => Promise<string>>> = {
    '/users': async () => JSON.stringify((await pool.query('SELECT email FROM users')).rows),
    '/rates': async () => (await fetchRates(ratesUrl, { headers: { authorization: 'Bearer secret' } })).text(),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = routes[request.url ?? ''];
    if (route === undefined) return void response.writeHead(404).end();
    try {
      response.end(await route());
    } catch (error) {
      // The log gets the whole story. Whoever called gets none of it.
      log(findCertpinError(error)?.summary ?? (error as Error).message);
      response.writeHead(503).end('not possible at the moment');
    }
  }
  return createServer((request, response) => void answer(request, response)).on('close', () => void pool.end());
}
