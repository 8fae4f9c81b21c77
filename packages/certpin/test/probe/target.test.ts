import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startScriptedServer } from '@certpin/testkit';
import fc from 'fast-check';
import { CertpinError } from '../../src/index.ts';
import { readConnectionString } from '../../src/probe/connection-string.ts';
import { parseTarget, probe } from '../../src/probe/index.ts';
import { upgradeProtocols } from '../../src/protocols/registry.ts';

describe('a target is read', () => {
  const servers: [string, 'tls' | 'postgres' | 'mysql' | null, string, number][] = [
    ['db.example.com:5432', 'postgres', 'db.example.com', 5432],
    ['db.example.com:6432', null, 'db.example.com', 6432],
    ['example.com', 'tls', 'example.com', 443],
    ['127.0.0.1:8443', null, '127.0.0.1', 8443],
    ['[::1]:8443', null, '::1', 8443],
    ['[::1]', 'tls', '::1', 443],
    ['::1', 'tls', '::1', 443],
    ['fe80::1%eth0', 'tls', 'fe80::1%eth0', 443],
    ['https://example.com', 'tls', 'example.com', 443],
    ['https://example.com:8443/path?query', 'tls', 'example.com', 8443],
    ['tls://example.com:636', 'tls', 'example.com', 636],
    ['https://example.com:5432', 'tls', 'example.com', 5432],
    ['postgres://db.example.com', 'postgres', 'db.example.com', 5432],
    ['postgresql://db.example.com:6432/app', 'postgres', 'db.example.com', 6432],
    ['POSTGRES://db.example.com', 'postgres', 'db.example.com', 5432],
    ['postgres://user:pass%2Fword@db.example.com/app?sslmode=require', 'postgres', 'db.example.com', 5432],
    ['postgres://[::1]:6432/app', 'postgres', '::1', 6432],
    ['db.example.com:3306', 'mysql', 'db.example.com', 3306],
    ['mysql://db.example.com', 'mysql', 'db.example.com', 3306],
    ['mariadb://user:pass%2Fword@db.example.com:3307/app?host=other', 'mysql', 'db.example.com', 3307],
    ['tls://db.example.com:3306', 'tls', 'db.example.com', 3306],
    ['jdbc:postgresql://db.example.com:6432/app?user=me&password=pass', 'postgres', 'db.example.com', 6432],
    ['jdbc:mysql://me:pass@db.example.com/app', 'mysql', 'db.example.com', 3306],
    ['jdbc:mariadb://[::1]:3307/app?password=pass', 'mysql', '::1', 3307],
    ["host=db.example.com port=6432 dbname=app password='pass word; host=x'", 'postgres', 'db.example.com', 6432],
    ['user=me hostaddr=192.0.2.1 password=pass', 'postgres', '192.0.2.1', 5432],
    ['Host=db.example.com;Port=6432;Username=me;Password=pass', null, 'db.example.com', 6432],
    ['Host=db.example.com;Password=pass', 'postgres', 'db.example.com', 5432],
    ['Server=db.example.com;Port=3306;Uid=me;Pwd="pass;word=""x"', 'mysql', 'db.example.com', 3306],
    ['Driver={ODBC 8.0; Unicode};Server=db.example.com;Port=5432;Pwd=pass word;', 'postgres', 'db.example.com', 5432],
    ['postgresql:///app?host=db.example.com&port=6432', 'postgres', 'db.example.com', 6432],
    ['rediss://:pass@cache.example.com:6380/0', 'tls', 'cache.example.com', 6380],
    ['rediss://cache.example.com', 'tls', 'cache.example.com', 6379],
    ['amqps://me:pass@mq.example.com/vhost', 'tls', 'mq.example.com', 5671],
    ['mqtts://mq.example.com', 'tls', 'mq.example.com', 8883],
    ['mongodb://me:pass@db.example.com/app?tls=true', 'tls', 'db.example.com', 27017],
    ['wss://ws.example.com/socket', 'tls', 'ws.example.com', 443],
    ['ssl://mq.example.com:8883', 'tls', 'mq.example.com', 8883],
  ];
  for (const [text, protocol, host, port] of servers) {
    test(text, () => {
      const { label, ...target } = parseTarget(text);
      assert.deepEqual(target, { protocol, host, port });
      assert.ok(!label.includes('pass'));
      assert.deepEqual(parseTarget(label), { label, ...target });
    });
  }

  const strings: [string, 'mysql' | 'mssql' | 'postgres' | 'tls', string, number][] = [
    ['postgresql+psycopg2://me:pass@db.example.com/app', 'postgres', 'db.example.com', 5432],
    ['postgresql+asyncpg://me:pass@db.example.com:6432/app', 'postgres', 'db.example.com', 6432],
    ['mysql+pymysql://me:pass@db.example.com/app', 'mysql', 'db.example.com', 3306],
    ['mssql+pyodbc://me:pass@db.example.com:1434/app?driver=x', 'mssql', 'db.example.com', 1434],
    ['r2dbc:postgresql://me:pass@db.example.com:6432/app', 'postgres', 'db.example.com', 6432],
    ['r2dbc:pool:mysql://me:pass@db.example.com/app', 'mysql', 'db.example.com', 3306],
    ['mysql:host=db.example.com;port=3307;dbname=app;charset=utf8mb4', 'mysql', 'db.example.com', 3307],
    ['mysql:dbname=app;host=db.example.com', 'mysql', 'db.example.com', 3306],
    ['pgsql:host=db.example.com;port=6432;dbname=app;user=me;password=pass', 'postgres', 'db.example.com', 6432],
    ['sqlsrv:Server=db.example.com,1434;Database=app', 'mssql', 'db.example.com', 1434],
    ['tcp(db.example.com:3307)', 'mysql', 'db.example.com', 3307],
    ['me:pass@tcp(db.example.com)/app', 'mysql', 'db.example.com', 3306],
    ['me:p/a@ss@tcp(db.example.com:3307)/app?tls=true&parseTime=true', 'mysql', 'db.example.com', 3307],
    ['me:pass@tcp([2001:db8::1]:3307)/', 'mysql', '2001:db8::1', 3307],
    ['mysql://me:pass@tcp(db.example.com:3306)/app', 'mysql', 'db.example.com', 3306],
    ['mysql:pass@tcp(db.example.com:3306)/app', 'mysql', 'db.example.com', 3306],
    // A token, or a password, that looks like such an address.
    ['wss://db.example.com/chat?token=x@tcp(evil.example:1)/', 'tls', 'db.example.com', 443],
    ['mysql:host=db.example.com;port=3307;password=x@tcp(evil.example:1)', 'mysql', 'db.example.com', 3307],
    ['sqlserver://db.example.com:1433;database=app;password=x@tcp(evil.example:1)/', 'mssql', 'db.example.com', 1433],
    ['host=db.example.com port=5433 password=x@tcp(evil.example:1)/', 'postgres', 'db.example.com', 5433],
    ['sqlserver://db.example.com:1434;database=app;user=sa;password=pass', 'mssql', 'db.example.com', 1434],
    ['sqlserver://db.example.com;database=app', 'mssql', 'db.example.com', 1433],
    ['sqlserver://db.example.com\\SQLEXPRESS:1444;encrypt=true;password=pass', 'mssql', 'db.example.com', 1444],
    ['Server=db.example.com\\SQLEXPRESS,1444;Database=app;Password=pass', 'mssql', 'db.example.com', 1444],
    ['mssql://me:pass@db.example.com:1444/SQLEXPRESS/app?encrypt=true', 'mssql', 'db.example.com', 1444],
    ['sqlserver://db.example.com\\SQLEXPRESS:1444', 'mssql', 'db.example.com', 1444],
    ['Server=db.example.com;Database=app;User Id=me;Password=pass;Encrypt=true', 'mssql', 'db.example.com', 1433],
    [
      'Data Source=db.example.com;User Id=me;Password=pass;TrustServerCertificate=true',
      'mssql',
      'db.example.com',
      1433,
    ],
    ['sqlserver://db.example.com:1433;database=app;user=me;password={p;a}}ss}', 'mssql', 'db.example.com', 1433],
    ['mongodb://me:p%40ss%2F%23pass@db.example.com/app?authSource=admin&tls=true', 'tls', 'db.example.com', 27017],
    ['redis+tls://:pass@db.example.com', 'tls', 'db.example.com', 6379],
    ['rediss://me:p%23pass@db.example.com:6380/1?family=6', 'tls', 'db.example.com', 6380],
    ['mssql://db.example.com:1434;user=sa;password=p@ss;database=app', 'mssql', 'db.example.com', 1434],
    ['sqlserver://sa:pass@db.example.com:1434?database=app', 'mssql', 'db.example.com', 1434],
    ['sqlserver://sa:p;ass@db.example.com:1434?database=app', 'mssql', 'db.example.com', 1434],
  ];
  for (const [text, protocol, host, port] of strings) {
    test(`in the form of a driver: ${text}`, () => {
      const { label, ...target } = parseTarget(text);
      assert.deepEqual(target, { protocol, host, port });
      assert.ok(!/pass|p@ss|@/.test(label), label);
      assert.deepEqual(parseTarget(label), { label, ...target });
    });
  }

  const strict: [string, number][] = [
    ['Server=tcp:db.example.com,1434;User Id=me;Password=pass;Encrypt=Strict', 1434],
    ['jdbc:sqlserver://db.example.com;databaseName=app;password=pass;encrypt=strict', 1433],
    ['sqlserver://db.example.com:1434;encrypt=strict;user=sa;password={pass;x}', 1434],
    ['mssql://me:pass@db.example.com/app?encrypt=strict', 1433],
  ];
  for (const [text, port] of strict) {
    test(`as SQL Server that begins with TLS: ${text}`, () => {
      const label = `mssql-strict://db.example.com:${port}`;
      const target = { protocol: 'tls', label, host: 'db.example.com', port, alpn: 'tds/8.0' };
      assert.deepEqual([parseTarget(text), parseTarget(label)], [target, target]);
    });
  }

  const quoted: [string, string][] = [
    ['"https://db.example.com"', 'https://db.example.com'],
    ["'postgres://me:pass@db.example.com/app'", 'postgres://me:pass@db.example.com/app'],
    ['\u201chttps://db.example.com\u201d', 'https://db.example.com'],
    ['\u201edb.example.com:5432\u201c', 'db.example.com:5432'],
    ['\u2018db.example.com\u2019', 'db.example.com'],
    ['\u00abdb.example.com\u00bb', 'db.example.com'],
    ['`db.example.com`', 'db.example.com'],
    ['"Server=tcp:db.example.com,1433;Password=pass"', 'Server=tcp:db.example.com,1433;Password=pass'],
    ["host=db.example.com password='pass'", 'host=db.example.com password=pass'],
    ['file:///etc/ssl/server%20cert.pem', '/etc/ssl/server cert.pem'],
    ['file:/etc/ssl/server.pem', '/etc/ssl/server.pem'],
    ['FILE://localhost/etc/ssl/server.pem', '/etc/ssl/server.pem'],
  ];
  for (const [text, plain] of quoted) {
    test(`as what is meant: ${text}`, () => assert.deepEqual(parseTarget(text), parseTarget(plain)));
  }

  test('the name of a MongoDB cluster', () => {
    const target = { protocol: 'tls', label: 'mongodb+srv://c.example.com', srvName: '_mongodb._tcp.c.example.com' };
    assert.deepEqual(parseTarget('mongodb+srv://me:pass%2F@C.example.com./app?retryWrites=true'), target);
    assert.deepEqual(parseTarget(target.label), target);
    const own = { ...target, label: `${target.label}/?srvServiceName=own`, srvName: '_own._tcp.c.example.com' };
    assert.deepEqual(parseTarget('mongodb+srv://me:pass@c.example.com/?x=1&srvServiceName=own'), own);
    assert.deepEqual(parseTarget(own.label), own);
  });

  const sockets: [string, 'mysql' | 'tls' | null, string][] = [
    ['unix:/run/x.sock', null, '/run/x.sock'],
    ['unix:///run/x.sock', null, '/run/x.sock'],
    ['mysql+unix:/run/mysqld/mysqld.sock', 'mysql', '/run/mysqld/mysqld.sock'],
    ['tls+unix:/run/x.sock', 'tls', '/run/x.sock'],
  ];
  for (const [text, protocol, socketPath] of sockets) {
    test(text, () => {
      const { label, ...target } = parseTarget(text);
      assert.deepEqual(target, { protocol, socketPath });
      assert.deepEqual(parseTarget(label), { label, ...target });
    });
  }

  test('a unix socket that is there, whatever its name', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'certpin-socket-'));
    const path = join(folder, 'project:region,instance=1.sock');
    const server = createServer().listen(path);
    await once(server, 'listening');
    t.after(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    assert.deepEqual(parseTarget(`unix:${path}`), { protocol: null, label: `unix:${path}`, socketPath: path });
  });

  for (const [name, { upgrade, direct }] of Object.entries(upgradeProtocols)) {
    test(`by every scheme and port of the table: ${name}`, () => {
      for (const scheme of upgrade.schemes) {
        const target = parseTarget(`${scheme}://me:hunter2@db.example.com:999/x`);
        assert.deepEqual(target, {
          ...{ protocol: name, host: 'db.example.com', port: 999 },
          label: `${scheme}://db.example.com:999`,
        });
      }
      for (const scheme of direct?.schemes ?? []) {
        const { protocol } = parseTarget(`${scheme}://db.example.com`);
        assert.equal(protocol, 'tls');
      }
      for (const port of direct?.ports ?? []) assert.ok(parseTarget(`db.example.com:${port}`).protocol !== null);
      for (const port of upgrade.ports) assert.ok(parseTarget(`db.example.com:${port}`).protocol !== null);
    });
  }

  const here = fileURLToPath(import.meta.url);
  for (const path of ['server.pem', 'SERVER.CRT', './server', '/etc/ssl/server', 'C:\\server.cer', here]) {
    test(`as the file ${path === here ? 'that exists' : path}`, () => {
      assert.deepEqual(parseTarget(path), { protocol: 'file', label: path, path });
    });
  }
});

describe('a target that cannot be read is refused, and not repeated', () => {
  const refused: [string, RegExp][] = [
    ['', /neither host:port/],
    ['a b', /neither host:port/],
    ['local\u200Bhost:443', /neither host:port/],
    ['\u202Elocalhost', /neither host:port/],
    ['localhost\0.example.com:443', /holds a NUL/],
    ['unix:/run/x\0y', /holds a NUL/],
    ['/etc/ssl/x\0.pem', /holds a NUL/],
    ['host:', /neither host:port/],
    ['host:0', /from 1 to 65535/],
    ['host:65536', /from 1 to 65535/],
    ['host:port', /neither host:port/],
    ['redis://hunter2@h', /redis:\/\/ is Redis in plaintext, .*: rediss:\/\/h:6379$/],
    ['redis://:hunter2@h:6380/1', /redis:\/\/ is Redis in plaintext, .*: rediss:\/\/h:6380$/],
    ['redis://:a#hunter2@h', /%23/],
    [
      'kafka://h:9093',
      /certpin does not know kafka:\/\/ \(a server that begins with TLS is named with tls:\/\/host:port\)$/,
    ],
    ['postgress://me:hunter2@h', /certpin does not know postgress:\/\/; did you mean postgres:\/\/\?/],
    ['mongodb+srv://me:hunter2@a.example:27017/db', /a port has no place in mongodb\+srv/],
    ['mongodb+srv://me:hunter2@a.example,b.example/db', /mongodb\+srv:\/\/ names one host/],
    ['mongodb+srv://me:hunter2@192.0.2.1/db', /an IP address has no SRV records/],
    ['mongodb+srv://me:hunter2@[::1]/db', /an IP address has no SRV records/],
    ['mongodb+srv://me:hunter2@a.example/db?srvServiceName=hunter2.x', /srvServiceName/],
    ['mongodb+srv://me:hunter2/x@a.example/db', /percent-encoding/],
    ['mongodb+srv://a', /more than one label/],
    ['mysql:unix_socket=/run/hunter2;dbname=app', /one host/],
    ['ssh://hunter2@h', /SSH has no certificate/],
    [
      'postgres://me:hunter2@a.example:5432,b.example:5432/db',
      /names several hosts, .*: name one, as in postgres:\/\/host:port/,
    ],
    [
      'mongodb://me:hunter2@a:27017,b:27017,c:27017/db?replicaSet=x',
      /names several hosts, .*: name one, as in mongodb:\/\/host:port/,
    ],
    ['mongodb://me:hunter2@a,b/db', /names several hosts, .*: name one, as in mongodb:\/\/host:port/],
    ...[
      'sqlserver://h\\SQLEXPRESS;user=sa;password=hunter2',
      'jdbc:sqlserver://h\\SQLEXPRESS;password={hunter2;b}',
      'jdbc:sqlserver://h;instanceName=SQLEXPRESS;password=hunter2',
      'Server=h\\SQLEXPRESS;Password=hunter2',
      'Data Source=tcp:h\\SQLEXPRESS;Integrated Security=true;Password=hunter2',
      'mssql://sa:hunter2@h/SQLEXPRESS/app',
      'sqlserver://h\\SQLEXPRESS',
    ].map((text): [string, RegExp] => [
      text,
      /an instance of SQL Server, whose port .*\. Give the port .*sqlserver:\/\/host:port/,
    ]),
    ['Server=.;Database=x;Password=hunter2;Encrypt=true', /names no host/],
    ['Server=(local);Database=x;Password=hunter2;Encrypt=true', /names no host/],
    ['Server=h,1433;Failover Partner=i;Password=hunter2;Encrypt=maybe;x', /one host/],

    ['https:/h', /two slashes follow the colon: https:\/\//],
    ['postgres:/me:hunter2@h/db', /two slashes follow the colon: postgres:\/\//],
    ['.', /a folder/],
    ['..', /a folder/],
    ['"https://h', /quotation mark/],
    ['https://h\u201d', /quotation mark/],
    ['"postgres://me:hunter2@h/db', /quotation mark/],
    ['file://other.example/hunter2', /file of another machine/],
    ['file:///x%2Fhunter2', /cannot be read/],
    ['file:///x?hunter2', /cannot be read/],
    ['jdbc:mysql://a:3306,b:3306/hunter2', /names several hosts/],
    ['postgres://me:hunter2,x:1@h:port/db', /cannot be read/],
    ['me:x@tcp(hunter2/db)/app', /neither host:port/],
    ['sqlserver://h:1433;database=x;nonsense hunter2', /one host/],
    ['mysql://me:12/hunter2@h/db', /percent-encoding/],
    ['mysql://:3306/hunter2', /cannot be read|names no host/],
    ['tls://hunter2.example', /needs a port/],
    ['user:hunter2@host', /neither host:port/],
    ['user:hunter2@host/db', /nor a file that exists/],
    ['jdbc:oracle:thin:@//hunter2', /nor a file that exists/],
    ['jdbc:db2://host:50000/db?password=hunter2', /certpin does not know db2:\/\//],
    ['redis+unix:/run/hunter2', /certpin does not know redis:\/\//],
    ...['; ', ';', ' ', ',', '&', '%3F', '%20', '\t', ':', '|', '!', '\\'].flatMap((separator): [string, RegExp][] => [
      [`unix:/run/x.sock${separator}password=hunter2`, /no such socket/],
      [`postgres+unix:///run/x.sock${separator}hunter2`, /no such socket/],
    ]),
    ['unix:/run/x.sock?password=hunter2', /one host/],
    ['user:hunter2@unix(/run/x.sock)/db', /neither host:port/],
    ['user:hunter2@unix(/run/x.sock)/db?tls=true', /one host/],
    ['unix://:hunter2@/run/x.sock', /percent-encoding|cannot be read|does not know/],
    ['tls+unix:/app:hunter2@/run/x.sock', /neither host:port/],
    ...['unix://app:hunter2', 'unix:/run/x;hunter2', 'unix:/run/x,hunter2'].map((text): [string, RegExp] => [
      text,
      /no such socket/,
    ]),
    ['Server=h;Password=hunter2', /needs a port/],
    ['Server=h;Host=i;Port=1;Password=hunter2', /one host/],
    ['Server=h;Server=i;Port=1;Password=hunter2', /one host/],
    ['Server=a b;Port=1;Password=hunter2', /one host/],
    ['Server=h;Port=1;Password=a;hunter2', /one host/],
    ['Port=1;Password=hunter2', /one host/],
    ['host=a,b password=hunter2', /one host/],
    ['host=/run/hunter2 dbname=x', /one host/],
    ['password=hunter2', /one host/],
    ['Host=h;Port=hunter2', /from 1 to 65535/],
    ['jdbc:postgresql://a,b/db?password=hunter2', /names several hosts, .*: name one, as in postgresql:/],
    ['https://me:#hunter2@host', /cannot be read|percent-encoding/],
    ['postgres://me:12/hunter2@h/db', /percent-encoding/],
    ['postgres://me:a?hunter2@h/db', /cannot be read/],
    ['postgres://me:a#hunter2@h/db', /cannot be read: .*# is %23/],
    ['postgres://me:?hunter2@h/db', /percent-encoding/],
    ['postgres://%zz:hunter2@h:99999/db', /cannot be read/],
    ['postgres://me:hunter2@%zz/db', /cannot be read/],
    ['postgres:///db?host=/var/run/hunter2', /a unix socket has no TLS/],
    ['postgres://h/db?port=hunter2', /from 1 to 65535/],
  ];
  for (const [text, message] of refused) {
    test(JSON.stringify(text), () => {
      assert.throws(
        () => parseTarget(text),
        (error: CertpinError) => {
          assert.equal(error.code, 'ERR_TARGET_INVALID');
          assert.match(error.message, message);
          assert.ok(!`${error.message}${JSON.stringify(error)}`.includes('hunter2'));
          return true;
        },
      );
    });
  }

  test('anything else is a target or an ERR_TARGET_INVALID', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.ipV6(), fc.domain()), (text) => {
        try {
          assert.ok(parseTarget(text).label.length > 0);
        } catch (error) {
          assert.ok(error instanceof CertpinError && error.code === 'ERR_TARGET_INVALID', String(error));
        }
      }),
    );
  });

  const secret = fc.string({ minLength: 4, unit: 'grapheme' }).map((text) => `pw!${text}!wp`);
  const forms: Record<string, (secret: string, port: number) => string> = {
    'a URL': (text, port) => `postgres://user:${encodeURIComponent(text)}@127.0.0.1:${port}/app`,
    'a URL as it was typed': (text, port) => `mysql://user:${text}@127.0.0.1:${port}/app`,
    'an https URL as it was typed': (text, port) => `https://user:${text}@127.0.0.1:${port}/`,
    'a URL with a query': (text, port) => `postgres://127.0.0.1:${port}/app?password=${text}`,
    'a unix socket, with settings': (text) => `postgres+unix:/run/x.sock;password=${text}`,
    'a unix socket, with a query': (text) => `unix:/run/x.sock?user=me&password=${text}`,
    'a unix socket, as libpq has it': (text) => `unix:/run/x.sock password=${text} user=me`,
    JDBC: (text, port) => `jdbc:postgresql://127.0.0.1:${port}/app?user=me&password=${text}`,
    'JDBC of SQL Server': (text, port) =>
      `jdbc:sqlserver://127.0.0.1:${port};databaseName=app;password=${text};user=me`,
    libpq: (text, port) => `host=127.0.0.1 port=${port} password=${text} user=me`,
    'libpq, quoted': (text, port) => `host=127.0.0.1 password='${text.replace(/['\\]/g, '\\$&')}' port=${port}`,
    'libpq, the password first': (text, port) => `password=${text} host=127.0.0.1 port=${port}`,
    'ADO.NET': (text, port) => `Server=tcp:127.0.0.1,${port};Database=app;User ID=me;Password=${text};`,
    'ADO.NET, the password first': (text, port) => `Password=${text};Server=127.0.0.1;Port=${port}`,
    "Go's MySQL driver": (text, port) => `me:${text}@tcp(127.0.0.1:${port})/app`,
    'JDBC of SQL Server, without its scheme': (text, port) =>
      `sqlserver://127.0.0.1:${port};database=app;user=me;password=${text}`,
    'JDBC of SQL Server, in braces': (text, port) =>
      `jdbc:sqlserver://127.0.0.1:${port};encrypt=true;password={${text.replaceAll('}', '}}')}};user=me`,
    'SQL Server of Prisma, in braces': (text, port) =>
      `sqlserver://127.0.0.1:${port};database=app;user=me;password={${text}};encrypt=true`,
    'SQL Server, strict': (text, port) => `Server=127.0.0.1,${port};Password=${text};Encrypt=Strict`,
    'a URL of mssql': (text, port) => `mssql://me:${text}@127.0.0.1:${port}/app?encrypt=true`,
    'a URL of MongoDB': (text, port) => `mongodb://me:${encodeURIComponent(text)}@127.0.0.1:${port}/app?tls=true`,
    'a URL of MongoDB as it was typed': (text, port) => `mongodb://me:${text}@127.0.0.1:${port}/app`,
    'a URL of Redis': (text, port) => `rediss://:${encodeURIComponent(text)}@127.0.0.1:${port}/1`,
    'a URL of Redis as it was typed': (text, port) => `rediss://me:${text}@127.0.0.1:${port}/1`,
    'a URL in quotes': (text, port) => `"postgres://me:${text}@127.0.0.1:${port}/app"`,
    'no form at all, Redis in plaintext': (text) => `redis://me:${text}@127.0.0.1:6379`,
    'no form at all, MongoDB with several hosts': (text) => `mongodb://me:${text}@127.0.0.1:1,127.0.0.1:2/app`,
    'no form at all, an instance of SQL Server': (text) => `Server=127.0.0.1\\X;Password=${text};Encrypt=true`,
    'no form at all, one slash': (text) => `postgres:/me:${text}@127.0.0.1/app`,
    'no form at all, one quotation mark': (text) => `"postgres://me:${text}@127.0.0.1/app`,
    Npgsql: (text, port) => `Host=127.0.0.1;Port=${port};Password=${text}`,
    'no form at all': (text) => `user:${text}@db.invalid`,
  };
  for (const [form, build] of Object.entries(forms)) {
    test(`a password is never part of a label, a report or an error, and no server is told it: ${form}`, async (t) => {
      let connections = 0;
      // A refusal of PostgreSQL's, and no greeting of anybody's: no probe goes on from here.
      const server = await startScriptedServer((socket) => {
        connections++;
        socket.end('N');
      });
      t.after(server.close);
      await fc.assert(
        fc.asyncProperty(secret, async (text) => {
          const report = await probe(build(text, server.port));
          assert.ok(!report.ok);
          const [shown, told] = [JSON.stringify(report), server.received().toString('latin1')];
          for (const piece of [text, encodeURIComponent(text), 'pw!', '!wp']) {
            assert.ok(!shown.includes(JSON.stringify(piece).slice(1, -1)), shown);
            assert.ok(!told.includes(Buffer.from(piece).toString('latin1')), told);
          }
        }),
        { numRuns: 100 },
      );
      assert.equal(connections > 0, !/^(?:no form|a unix socket)/.test(form), `${connections} connections`);
    });
  }
});

describe('a connection string leads to a host', () => {
  const places: [string, string | undefined, string, string | undefined][] = [
    ['jdbc:sqlserver://h:1433;databaseName=x;password=p', 'sqlserver', 'h', '1433'],
    ['jdbc:sqlserver://h:1433;password={a;b}}c};encrypt=strict', 'mssql-strict', 'h', '1433'],
    ['jdbc:sqlserver://;serverName=h;port=1434', 'sqlserver', 'h', '1434'],
    ['jdbc:sqlserver://[::1]:1433;password=p', 'sqlserver', '::1', '1433'],
    ['Server=tcp:h,1433;Initial Catalog=x;Password=p;', 'sqlserver', 'h', '1433'],
    ['Data Source=h\\X,1444;Integrated Security=true', 'sqlserver', 'h', '1444'],
    ['Server=h;Encrypt=true', 'sqlserver', 'h', undefined],
    ['Host=h;Encrypt=true', 'postgres', 'h', undefined],
    ['Data Source=h,1444', 'sqlserver', 'h', '1444'],
    ['server=h;port=3307', undefined, 'h', '3307'],
  ];
  for (const [text, scheme, host, port] of places) {
    test(text, () => assert.deepEqual(readConnectionString(text), { scheme, host, port }));
  }
});
