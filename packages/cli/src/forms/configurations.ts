import type { Protocol } from 'certpin/probe';
import type { Form, Subject } from './form.ts';

/** The parts of a configuration, each a piece of TypeScript. */
interface Pieces {
  readonly host: string;
  readonly port: string;
  readonly origin: string;
  readonly pins: string;
  /** `{ servername: '…' }`, or undefined. */
  readonly tls: string | undefined;
}

interface Client {
  readonly meaning: string;
  readonly protocol: Protocol;
  /** How to name a server of this protocol. */
  readonly shape: string;
  readonly defaultPort: number;
  readonly print: (pieces: Pieces) => string;
}

const clients = {
  pg: {
    meaning: 'a pinned Pool of pg, TypeScript',
    protocol: 'postgres',
    shape: 'postgres://host:port',
    defaultPort: 5432,
    print: ({ host, port, pins, tls }) => `import { pinnedPg } from 'certpin/pg';
import pg from 'pg';

const pool = new pg.Pool(
  pinnedPg(
    {
      host: ${host},
      port: ${port},
      user: process.env.DB_USER,
      password: process.env.DB_PASSWORD,
      database: process.env.DB_NAME,${tls === undefined ? '' : `\n      ssl: ${tls},`}
    },
    { pins: ${pins} },
  ),
);
pool.on('error', (error) => console.error(error.message)); // an idle connection was lost`,
  },
  mysql2: {
    meaning: 'a pinned pool of mysql2, TypeScript',
    protocol: 'mysql',
    shape: 'mysql://host:port',
    defaultPort: 3306,
    print: ({ host, port, pins, tls }) => `import { pinnedMysql2 } from 'certpin/mysql2';
import { createPool } from 'mysql2/promise';

const pool = createPool(
  pinnedMysql2(
    {
      host: ${host},
      port: ${port},
      user: process.env.DB_USER ?? '',
      password: process.env.DB_PASSWORD ?? '',
      database: process.env.DB_NAME ?? '',${tls === undefined ? '' : `\n      ssl: ${tls},`}
    },
    { pins: ${pins} },
  ),
);`,
  },
  axios: {
    meaning: 'a pinned instance of axios, TypeScript',
    protocol: 'tls',
    shape: 'https://host:port',
    defaultPort: 443,
    print: ({ origin, pins, tls }) => `import axios from 'axios';
import { pinnedAxios } from 'certpin/axios';

const api = axios.create(
  pinnedAxios({ baseURL: ${origin} }, { pins: ${pins} }${tls === undefined ? '' : `, ${tls}`}),
);`,
  },
  fetch: {
    meaning: 'a pinned fetch, TypeScript',
    protocol: 'tls',
    shape: 'https://host:port',
    defaultPort: 443,
    print: ({ origin, pins, tls }) => `import { pinnedFetch } from 'certpin/undici';

const api = pinnedFetch({ pins: ${pins} }${tls === undefined ? '' : `, { tls: ${tls} }`});
const response = await api(${origin});`,
  },
} satisfies Record<string, Client>;

/** A configuration to paste, with the pin of the certificate in it. */
export function printConfiguration(name: keyof typeof clients): Form {
  const client: Client = clients[name];
  return {
    meaning: client.meaning,
    isBlock: true,
    protocol: client.protocol,
    refusal: (target) =>
      target.protocol === 'file' || ('host' in target && (target.protocol ?? client.protocol) === client.protocol)
        ? undefined
        : `--format ${name} is for a server named ${client.shape}, or a certificate file`,
    print: (subject) => {
      const note = subject.target.protocol === 'file' ? '' : `// ${presented}\n`;
      return note + client.print(toPieces(subject, client));
    },
  };
}

const presented =
  "The pin is of the certificate as presented just now: compare it with the server's own file, or its operator.";

function toPieces({ target, certificates: [own], servername }: Subject, { defaultPort }: Client): Pieces {
  // A file says at best for which names it is.
  const named = own.toJSON().subjectAltNames.flatMap((name) => /^DNS:([\w.-]+)$/.exec(name)?.[1] ?? []);
  const { host, port } = 'host' in target ? target : { host: named[0] ?? 'server.example.com', port: defaultPort };
  const origin = `https://${host.includes(':') ? `[${host}]` : host}${port === 443 ? '' : `:${port}`}/`;
  return {
    host: literal(host),
    port: String(port),
    origin: literal(origin),
    pins: literal(own.certificateSha256),
    tls: servername === undefined ? undefined : `{ servername: ${literal(servername)} }`,
  };
}

/** A host is whatever was typed. In the program into which it is pasted, it must stay a string. */
function literal(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
