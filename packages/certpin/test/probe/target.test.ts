import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { CertpinError } from '../../src/index.ts';
import { parseTarget } from '../../src/probe/index.ts';

describe('a target is read', () => {
  const servers: [string, 'tls' | 'postgres' | 'mysql', string, number][] = [
    ['db.example.com:5432', 'postgres', 'db.example.com', 5432],
    ['db.example.com:6432', 'tls', 'db.example.com', 6432],
    ['example.com', 'tls', 'example.com', 443],
    ['127.0.0.1:8443', 'tls', '127.0.0.1', 8443],
    ['[::1]:8443', 'tls', '::1', 8443],
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
    ['postgresql:///app?host=db.example.com&port=6432', 'postgres', 'db.example.com', 6432],
  ];
  for (const [text, protocol, host, port] of servers) {
    test(text, () => {
      const { label, ...target } = parseTarget(text);
      assert.deepEqual(target, { protocol, host, port });
      assert.ok(!label.includes('pass'));
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
    ['host:', /neither host:port/],
    ['host:0', /from 1 to 65535/],
    ['host:65536', /from 1 to 65535/],
    ['host:port', /neither host:port/],
    ['redis://hunter2@h', /nothing is known of redis:\/\//],
    ['mysql://me:12/hunter2@h/db', /percent-encoding/],
    ['mysql://:3306/hunter2', /cannot be read|names no host/],
    ['tls://hunter2.example', /needs a port/],
    ['user:hunter2@host', /neither host:port/],
    ['user:hunter2@host/db', /nor a file that exists/],
    ['jdbc:postgresql://host/db?password=hunter2', /nor a file that exists/],
    ['Host=h;Password=hunter2', /nor a file that exists/],
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

  test('no password of a connection string is ever part of a label', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 6 }), (secret) => {
        const password = `pw${encodeURIComponent(secret.replace(/[\uD800-\uDFFF]/g, ''))}`;
        assert.ok(!parseTarget(`postgres://user:${password}@db.example.com/app`).label.includes(password));
      }),
    );
  });
});
