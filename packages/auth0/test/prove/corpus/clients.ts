import type { Mariadb } from '@certpin/testkit/mariadb';
import type { Postgres } from '@certpin/testkit/postgres';

/** Where the scripts of the corpus log in. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Text of the options of TLS, without braces, and of a function that says of a connected socket whether it may be used. */
interface Tls {
  readonly options: string;
  readonly guard?: string;
}

export type Client = (tls: Tls, then?: string, failed?: string) => string;

const DONE = "callback(null, { user_id: '1', email })";

/** A script, in which `callback` counts once, and `tls`, `crypto` and `https` are there. */
export function login(body: string): string {
  return `function login(email, password, done) {
  const tls = require('tls');
  const crypto = require('crypto');
  const https = require('https');
  let isOver = false;
  const callback = (error, profile) => {
    if (isOver) return;
    isOver = true;
    done(error, profile);
  };
  ${body}
}`;
}

/** A socket that is looked at before it is handed on. */
const opener = ({ options, guard }: Tls): string => `const open = (place, opened) => {
    const socket = tls.connect({ host: place.host, port: place.port, ${options} });
    socket.once('secureConnect', () => {
      const passes = ${guard ?? '() => true'};
      if (passes(socket)) return opened(null, socket);
      socket.destroy();
      opened(new Error('another server'));
    });
    socket.once('error', opened);
    socket.on('error', () => {});
  };`;

/** The clients of HTTP. A guard needs a connection of one's own; without one, the options are the client's. */
export function httpClients({ host, port }: Place): Readonly<Record<string, Client>> {
  const url = `https://${host}:${port}/login`;
  const place = `{ host: '${host}', port: ${port} }`;
  const agent = (tls: Tls): string =>
    tls.guard === undefined
      ? `const agent = new https.Agent({ ${tls.options} });`
      : `${opener(tls)}
  const agent = new https.Agent();
  agent.createConnection = (options, opened) => open(${place}, opened);`;
  return {
    tls: (tls, then = DONE, failed = 'callback(error)') => `${opener(tls)}
  open(${place}, (error, socket) => {
    if (error) return void (() => { ${failed} })();
    socket.on('error', (error) => { ${failed} }).resume().on('end', () => { ${then} });
    socket.write('POST /login HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\ncontent-length: ' + password.length + '\\r\\n\\r\\n' + password);
  });`,
    https: (tls, then = DONE, failed = 'callback(error)') => `${agent(tls)}
  https.request('${url}', { method: 'POST', agent }, (response) => {
    response.resume().on('end', () => { ${then} });
  }).on('error', (error) => { ${failed} }).end(password);`,
    axios: (tls, then = DONE, failed = 'callback(error)') => `${agent(tls)}
  require('axios').post('${url}', { email, password }, { httpsAgent: agent, proxy: false })
    .then(() => { ${then} }, (error) => { ${failed} });`,
    undici: (tls, then = DONE, failed = 'callback(error)') => `const { Agent, fetch } = require('undici-7');
  ${tls.guard === undefined ? `const connect = { ${tls.options} };` : `${opener(tls)}\n  const connect = (options, opened) => open(${place}, opened);`}
  fetch('${url}', { method: 'POST', body: password, dispatcher: new Agent({ connect }) })
    .then((response) => response.text()).then(() => { ${then} }, (error) => { ${failed} });`,
    superagent: (tls, then = DONE, failed = 'callback(error)') => `${agent(tls)}
  require('superagent').post('${url}').agent(agent).send({ email, password })
    .then(() => { ${then} }, (error) => { ${failed} });`,
  };
}

/** The clients of databases, which take options. */
export function databaseClients(postgres: Postgres, mariadb: Mariadb): Readonly<Record<string, Client>> {
  const account = ({ host, port, user, password, database }: Postgres | Mariadb): string =>
    JSON.stringify({ host, port, user, password, database }).slice(1, -1);
  return {
    pg: ({ options }, then = DONE, failed = 'callback(error)') => `const { Client } = require('pg');
  const client = new Client({ ${account(postgres)}, ssl: { ${options} } });
  client.on('error', () => {});
  client.connect().then(() => client.query('SELECT $1::text AS id', [email]))
    .then(() => { ${then} }, (error) => { ${failed} }).finally(() => client.end().catch(() => {}));`,
    mysql2: ({ options }, then = DONE, failed = 'callback(error)') => `const mysql2 = require('mysql2');
  const connection = mysql2.createConnection({ ${account(mariadb)}, connectTimeout: 10_000, ssl: { ${options} } });
  connection.on('error', () => {});
  connection.query('SELECT ? AS id', [email], (error) => {
    connection.destroy();
    if (error) { ${failed} } else { ${then} }
  });`,
    mariadb: ({ options }, then = DONE, failed = 'callback(error)') => `require('mariadb')
    .createConnection({ ${account(mariadb)}, connectTimeout: 10_000, ssl: { ${options} } })
    .then((connection) => connection.query('SELECT ? AS id', [email]).finally(() => connection.end()))
    .then(() => { ${then} }, (error) => { ${failed} });`,
    postgres: (
      { options },
      then = DONE,
      failed = 'callback(error)',
    ) => `const sql = require('postgres')({ ${account(postgres).replace('"user"', '"username"')}, max: 1, ssl: { ${options} } });
  sql\`SELECT 1\`.then(() => { ${then} }, (error) => { ${failed} }).finally(() => sql.end({ timeout: 1 }).catch(() => {}));`,
  };
}
