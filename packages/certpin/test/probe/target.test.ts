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
    ['sqlserver://db.example.com\\SQLEXPRESS;encrypt=true;password=pass', 'mssql', 'db.example.com', 1433],
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
    ['redis://hunter2@h', /nothing is known of redis:\/\//],
    [
      'kafka://h:9093',
      /nothing is known of kafka:\/\/ \(a server that begins with TLS is named with tls:\/\/host:port\)$/,
    ],
    ['postgress://me:hunter2@h', /nothing is known of postgress:\/\/; did you mean postgres:\/\/\?/],
    ['mongodb+srv://me:hunter2@h/db', /nothing is known of mongodb\+srv:\/\/ \(a server that begins with TLS/],
    ['mysql:unix_socket=/run/hunter2;dbname=app', /one host/],
    ['ssh://hunter2@h', /SSH has no certificate/],
    ['redis://:hunter2@h', /did you mean rediss:\/\/\?/],
    [
      'postgres://me:hunter2@a.example:5432,b.example:5432/db',
      /names several hosts, .*: name one, as in postgres:\/\/host:port/,
    ],
    ['mongodb://me:hunter2@a:27017,b:27017,c:27017/db?replicaSet=x', /names several hosts/],
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
    ['jdbc:db2://host:50000/db?password=hunter2', /nothing is known of db2:\/\//],
    ['redis+unix:/run/hunter2', /nothing is known of/],
    ...['; ', ';', ' ', ',', '&', '%3F', '%20', '\t', ':', '|', '!', '\\'].flatMap((separator): [string, RegExp][] => [
      [`unix:/run/x.sock${separator}password=hunter2`, /no such socket/],
      [`postgres+unix:///run/x.sock${separator}hunter2`, /no such socket/],
    ]),
    ['unix:/run/x.sock?password=hunter2', /one host/],
    ['user:hunter2@unix(/run/x.sock)/db', /neither host:port/],
    ['user:hunter2@unix(/run/x.sock)/db?tls=true', /one host/],
    ['unix://:hunter2@/run/x.sock', /percent-encoding|cannot be read|nothing is known/],
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
    ['jdbc:postgresql://a,b/db?password=hunter2', /names no host/],
    ['https://me:#hunter2@host', /cannot be read|percent-encoding/],
    ['postgres://me:12/hunter2@h/db', /percent-encoding/],
    ['postgres://me:a?hunter2@h/db', /cannot be read/],
    ['postgres://me:a#hunter2@h/db', /cannot be read/],
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
    ['jdbc:sqlserver://h\\SQLEXPRESS;password={a;b}', 'sqlserver', 'h', undefined],
    ['jdbc:sqlserver://;serverName=h;port=1434', 'sqlserver', 'h', '1434'],
    ['jdbc:sqlserver://[::1]:1433;password=p', 'sqlserver', '::1', '1433'],
    ['Server=tcp:h,1433;Initial Catalog=x;Password=p;', 'sqlserver', 'h', '1433'],
    ['Data Source=h\\X;Integrated Security=true', 'sqlserver', 'h', undefined],
    ['Data Source=h,1444', 'sqlserver', 'h', '1444'],
    ['server=h;port=3307', undefined, 'h', '3307'],
  ];
  for (const [text, scheme, host, port] of places) {
    test(text, () => assert.deepEqual(readConnectionString(text), { scheme, host, port }));
  }
});
