import type { Driver } from '../clients.ts';

/** What to do about a connection without TLS, as data for the messages of `require-tls`. */
interface Remedy {
  readonly how: string;
  readonly option: string;
  readonly server: string;
  /** What else can be read on the way. */
  readonly what: string;
}

const database = { server: 'the database', what: 'every password that it reads or checks' };
const sqlServer = {
  ...database,
  how: 'certpin/mssql',
  option: 'options: { encrypt: true, trustServerCertificate: false, cryptoCredentialsDetails: { ca } }',
};
const redis = { server: 'Redis', what: 'everything that it keeps', how: 'certpin/redis' };
const directory = {
  server: 'the directory',
  what: 'every password that it checks',
  how: 'certpin/ldap',
  option: "url: 'ldaps://…', tlsOptions: { ca }",
};

export const remedies: Readonly<Record<Driver | 'sentinels' | 'grpc', Remedy>> = {
  pg: { ...database, how: 'certpin/pg', option: 'ssl: { ca }' },
  postgres: { ...database, how: 'certpin/postgres', option: 'ssl: { ca }' },
  mysql: { ...database, how: 'certpin/mysql', option: 'ssl: { ca }' },
  mysql2: { ...database, how: 'certpin/mysql2', option: 'ssl: { ca, verifyIdentity: true }' },
  mariadb: { ...database, how: 'certpin/mariadb', option: 'ssl: { ca }' },
  tedious: sqlServer,
  mssql: sqlServer,
  mongodb: { ...database, how: 'certpin/mongodb', option: 'tls: true, ca' },
  ioredis: { ...redis, option: 'tls: { ca }' },
  redis: { ...redis, option: 'socket: { tls: true, ca }' },
  sentinels: { ...redis, option: 'sentinelTLS: { ca }' },
  ldapts: directory,
  // Its own connections can be pinned only on few Nodes, and its StartTLS on none.
  ldapjs: { ...directory, how: 'certpin/ldap, with ldapts' },
  nodemailer: {
    server: 'the mail server',
    what: 'every mail',
    how: 'certpin/driver-tls',
    option: 'requireTLS: true, tls: { ca }',
  },
  grpc: {
    server: 'the service',
    what: 'everything that is sent',
    how: 'certpin/forward',
    option: 'grpc.credentials.createSsl(ca)',
  },
};
