import type { Rotation } from '@certpin/pins-file';
import { parseTarget } from 'certpin/probe';
import { quote } from '../io.ts';

/** How one kind of server takes another certificate. */
export interface Swap {
  readonly server: string;
  /** For a shell on the server itself, as a user with the right to do it. */
  readonly commands: readonly string[];
  /** What else the user must know. */
  readonly notes: readonly string[];
}

/** The commands with which the servers of a target take the next certificate, or the old one again. certpin only prints them. */
export function swapCommands({ target, protocol, next, startedAt }: Rotation, way: 'there' | 'back'): readonly Swap[] {
  const certificate = next.source === 'certificate' && next.file !== '-' ? next.file : 'next.crt';
  const old = `.old-${startedAt.slice(0, 19).replace(/[-:]/g, '')}Z`; // 20270301T090000Z
  const files = { certificate: quote(certificate), key: quote(next.key ?? 'next.key'), old, back: way === 'back' };
  return serversOf(target, protocol).map((make) => make(files));
}

interface Files {
  readonly certificate: string;
  readonly key: string;
  /**
   * The ending for the names of the old files. It belongs to this rotation, so the same commands can be repeated without losing the old
   * files.
   */
  readonly old: string;
  readonly back: boolean;
}

type Make = (files: Files) => Swap;

/** Port and scheme say more than the protocol, which is TLS for many. */
function serversOf(label: string, protocol: string): readonly Make[] {
  if (protocol === 'postgres') return [postgresql];
  if (protocol === 'mysql') return /^mariadb:/i.test(label) ? [mariadb] : [mysql, mariadb];
  if (protocol === 'mssql' || /^mssql-strict:/i.test(label)) return [sqlServer];
  if (protocol !== 'tls') return [other];
  const target = parseTarget(label);
  const port = 'port' in target ? target.port : 0;
  if (/^mongodb:/i.test(label) || port === 27017) return [mongodb];
  if (/^redis(?:s|\+tls):/i.test(label) || port === 6379 || port === 6380) return [redis];
  return [nginx, haproxy];
}

/** Written over a copy of the old one, so owner and mode stay. Both are renamed at the end, so a reload hardly ever finds a mixed pair. */
function pair({ certificate, key, old, back }: Files): string[] {
  const rename = 'mv "$CERT.new" "$CERT" && mv "$KEY.new" "$KEY"';
  if (back) return [`cp -p "$CERT${old}" "$CERT.new" && cp -p "$KEY${old}" "$KEY.new"`, rename];
  return [
    `test -e "$CERT${old}" || { cp -p "$CERT" "$CERT${old}" && cp -p "$KEY" "$KEY${old}"; }`,
    'cp -p "$CERT" "$CERT.new" && cp -p "$KEY" "$KEY.new"',
    `cat ${certificate} > "$CERT.new" && cat ${key} > "$KEY.new"`,
    rename,
  ];
}

/** The same for one file with both. */
function both({ certificate, key, old, back }: Files): string[] {
  if (back) return [`cp -p "$PEM${old}" "$PEM.new"`];
  return [
    `test -e "$PEM${old}" || cp -p "$PEM" "$PEM${old}"`,
    `cp -p "$PEM" "$PEM.new" && cat ${certificate} ${key} | grep -v '^$' > "$PEM.new"`,
  ];
}

const wayBack = 'The old files stay beside the new ones, for the way back.';
const poolsLiveOn = 'Open connections, also those in pools, keep the old certificate: end them, or wait for them.';

const postgresql: Make = (files) => ({
  server: 'PostgreSQL',
  commands: [
    "DATA=$(psql -XAtc 'SHOW data_directory')",
    "CERT=$(psql -XAtc 'SHOW ssl_cert_file'); case $CERT in /*) ;; *) CERT=$DATA/$CERT ;; esac",
    "KEY=$(psql -XAtc 'SHOW ssl_key_file'); case $KEY in /*) ;; *) KEY=$DATA/$KEY ;; esac",
    ...pair(files),
    "psql -XAtc 'SELECT pg_reload_conf()'",
  ],
  notes: [
    '"t" means that the signal was sent, and no more. A file that cannot be loaded is ignored: the old certificate stays, and only the log of the server says so.',
    ...[wayBack, poolsLiveOn],
  ],
});

function ofMysql(client: string): string[] {
  return [
    `DATA=$(${client} -Nse 'SELECT @@datadir')`,
    `CERT=$(${client} -Nse 'SELECT @@ssl_cert'); case $CERT in /*) ;; *) CERT=$DATA/$CERT ;; esac`,
    `KEY=$(${client} -Nse 'SELECT @@ssl_key'); case $KEY in /*) ;; *) KEY=$DATA/$KEY ;; esac`,
  ];
}

const mysql: Make = (files) => ({
  server: 'MySQL 8.0.16 and newer',
  commands: [
    ...ofMysql('mysql'),
    ...pair(files),
    "mysql -e 'ALTER INSTANCE RELOAD TLS'",
    `mysql -Nse "SHOW STATUS LIKE 'Current_tls_cert'"`,
  ],
  notes: [
    'Never with NO ROLLBACK ON ERROR: after a mistake the server would take new connections without TLS.',
    ...[wayBack, poolsLiveOn],
  ],
});

const mariadb: Make = (files) => ({
  server: 'MariaDB 10.4 and newer',
  commands: [...ofMysql('mariadb'), ...pair(files), "mariadb -e 'FLUSH LOCAL SSL'"],
  notes: ['LOCAL keeps the statement from the replicas: each has files of its own.', wayBack, poolsLiveOn],
});

const sqlServer: Make = (files) => ({
  server: 'SQL Server on Linux',
  commands: [
    'CERT=/etc/ssl/certs/mssql.pem KEY=/etc/ssl/private/mssql.key   # network.tlscert and network.tlskey of mssql.conf',
    ...pair(files),
    'systemctl restart mssql-server',
  ],
  notes: [
    'It takes a certificate only at a restart, which cuts every connection: choose the time.',
    'On Windows: import the certificate, choose it by its thumbprint in SQL Server Configuration Manager, and restart the service.',
    'Other paths are set by mssql-conf: set network.tlscert FILE, set network.tlskey FILE.',
    wayBack,
  ],
});

const nginx: Make = (files) => ({
  server: 'nginx',
  commands: [
    'CERT=$(nginx -T 2>/dev/null | awk \'$1 == "ssl_certificate" { sub(/;$/, "", $2); print $2; exit }\')',
    'KEY=$(nginx -T 2>/dev/null | awk \'$1 == "ssl_certificate_key" { sub(/;$/, "", $2); print $2; exit }\')',
    ...pair(files),
    'nginx -t && nginx -s reload',
  ],
  notes: [
    'With several servers in one nginx, look up the two files of the right one.',
    'Where the configuration cannot be loaded, the old one stays. Old workers finish their connections with the old certificate.',
    wayBack,
  ],
});

const haproxy: Make = (files) => ({
  server: 'HAProxy 2.2 and newer',
  commands: [
    'PEM=/etc/haproxy/certs/site.pem SOCKET=/run/haproxy/admin.sock   # those of your configuration',
    ...both(files),
    'printf \'set ssl cert %s <<\\n%s\\n\\n\' "$PEM" "$(cat "$PEM.new")" | socat stdio "$SOCKET"',
    'echo "commit ssl cert $PEM" | socat stdio "$SOCKET"',
    'mv "$PEM.new" "$PEM"',
  ],
  notes: [
    'The socket changes the memory only; without the last command a restart brings the old certificate back.',
    poolsLiveOn,
  ],
});

const mongodb: Make = (files) => ({
  server: 'MongoDB 5 and newer',
  commands: [
    'PEM=/etc/ssl/mongodb.pem   # net.tls.certificateKeyFile of its configuration',
    ...both(files),
    'mv "$PEM.new" "$PEM"',
    "mongosh --eval 'db.rotateCertificates()'",
  ],
  notes: [
    'The path and the password of the key have to stay the same.',
    'Each member of a replica set has a file of its own.',
    poolsLiveOn,
  ],
});

const redis: Make = (files) => ({
  server: 'Redis 7 and newer',
  commands: [
    'CERT=$(redis-cli --raw CONFIG GET tls-cert-file | sed -n 2p) KEY=$(redis-cli --raw CONFIG GET tls-key-file | sed -n 2p)',
    ...pair(files),
    'redis-cli CONFIG SET tls-cert-file "$CERT" tls-key-file "$KEY"',
    'redis-cli CONFIG REWRITE',
  ],
  notes: [
    'Set both in one command, because one alone would not fit the other. Redis 6 cannot do this: restart it.',
    wayBack,
    poolsLiveOn,
  ],
});

const other: Make = ({ certificate, key }) => ({
  server: 'this server',
  commands: [],
  notes: [
    `certpin knows no commands for it. Replace its certificate by ${certificate} and its key by ${key}, both, and reload it.`,
    'A reload without an error message proves nothing: the next step asks every address.',
  ],
});
