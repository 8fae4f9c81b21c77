import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, mint } from '@certpin/testkit';
import { refusalError } from '../../src/core/explain.ts';
import { findCertpinError } from '../../src/core/find-error.ts';
import { verify } from '../../src/core/verify.ts';
import { type AnyCertpinError, CertpinError, isCertpinError } from '../../src/errors.ts';
import { pinRefusal, refused, within } from './support.ts';

const fromPackage = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const docs = readFileSync(fromPackage('../../docs/reference/errors.md'), 'utf8');
const errorsSource = readFileSync(fromPackage('src/errors.ts'), 'utf8');

const unique = (codes: Iterable<string | undefined>) => [...new Set(codes)].sort();

describe('the error codes', () => {
  const declaration = /export interface CertpinErrorDetails .*\{\n([\s\S]*?)\n\}/.exec(errorsSource)?.[1] ?? '';
  const declared = new Map(
    [...declaration.matchAll(/^ {2}(ERR_[A-Z_]+): \{(.*)\};$/gm)].map(([, code = '', fields = '']) => [code, fields]),
  );
  const sections = new Map(
    docs
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.split('\n')[0] ?? '', section.slice(section.indexOf('\n'))]),
  );

  it('are found in the type', () => {
    assert.ok(declared.size >= 18, `only ${declared.size} were found: has the layout of the interface changed?`);
    assert.equal(declared.size, declaration.match(/ERR_[A-Z_]+:/g)?.length);
  });

  it('have a page in the documentation, each its section, and no section more', () => {
    assert.deepEqual(unique(sections.keys()), unique(declared.keys()));
    assert.equal(docs.match(/^## ERR_/gm)?.length, sections.size, 'a code has two sections');
  });

  it('are those that the sources make, no more and no fewer', () => {
    const sources = (readdirSync(fromPackage('src'), { recursive: true }) as string[]).filter((path) =>
      path.endsWith('.ts'),
    );
    const made = sources.flatMap((path) => {
      const code = readFileSync(join(fromPackage('src'), path), 'utf8').replace(
        /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*/g,
        '',
      );
      // CertpinError('ERR_…', …), refused('ERR_…', …) and the like; { code: 'ERR_…' }; return 'ERR_…'.
      return [...code.matchAll(/(?:\w\(\s*|\bcode: |\breturn )'(ERR_[A-Z_]+)'/g)].map(([, one]) => one);
    });
    assert.deepEqual(unique(made), unique(declared.keys()));
  });

  for (const [code, fields] of declared) {
    it(`are explained: ${code}`, () => {
      const section = sections.get(code) ?? '';
      const [meaning = ''] = section.trim().split('\n\n');
      assert.ok(meaning.length > 20 && !meaning.startsWith('**'), 'the meaning, first');
      const paragraph = (title: string) =>
        new RegExp(`\\*\\*${title}\\.\\*\\* ([\\s\\S]*?)(?=\\n\\n\\*\\*|$)`).exec(section)?.[1] ?? '';
      assert.ok(paragraph('When it happens').trim().length > 40, 'When it happens');
      assert.ok(paragraph('How to solve').trim().length > 40, 'How to solve');
      for (const [, field] of fields.matchAll(/readonly (\w+):/g)) {
        assert.match(paragraph('Details'), new RegExp(`\`${field}\``), `the details do not tell of ${field}`);
      }
    });
  }

  it('are explained without an insecure way out', () => {
    assert.doesNotMatch(docs, /rejectUnauthorized: false|NODE_TLS_REJECT_UNAUTHORIZED|--insecure|strict-ssl/);
  });
});

describe('CertpinError', () => {
  const make = () => new CertpinError('ERR_CONNECT_TIMEOUT', 'no TLS connection within 5 ms', { timeoutMs: 5 });

  it('is an error with a code, details and, where there is one, a cause', () => {
    const cause = new Error('cause');
    const error = new CertpinError('ERR_FILE_UNREADABLE', 'message', { reason: 'x' }, { cause });
    assert.ok(error instanceof Error);
    assert.ok(error instanceof CertpinError);
    assert.deepEqual([error.name, error.code, error.message], ['CertpinError', 'ERR_FILE_UNREADABLE', 'message']);
    assert.deepEqual(error.details, { reason: 'x' });
    assert.equal(error.cause, cause);
    assert.match(String(error.stack), /^CertpinError: message|^Error: message/);
    assert.ok(!('cause' in make()));
  });

  it('shows nothing of its brand', () => {
    assert.deepEqual(Object.keys(make()).sort(), ['code', 'details', 'name']);
    const json = JSON.parse(JSON.stringify(make())) as unknown;
    assert.deepEqual(json, { name: 'CertpinError', code: 'ERR_CONNECT_TIMEOUT', details: { timeoutMs: 5 } });
  });

  it('is not any error that has a code, nor anything else', () => {
    const impostors = [
      Object.assign(new Error('pin mismatch'), { code: 'ERR_PIN_MISMATCH', name: 'CertpinError', details: {} }),
      { code: 'ERR_PIN_MISMATCH', 'Symbol(certpin.error)': true },
      JSON.parse(JSON.stringify(make())),
      ...[null, undefined, 'ERR_PIN_MISMATCH', 1, Symbol.for('certpin.error'), new Error('x'), CertpinError],
    ];
    for (const impostor of impostors) {
      assert.equal((impostor as object) instanceof CertpinError, false, String(impostor));
      assert.equal(findCertpinError(impostor), undefined);
    }
  });

  it('is recognised across the ESM and the CommonJS copy, with its code', async () => {
    type Library = Pick<typeof import('../../src/index.ts'), 'CertpinError' | 'findCertpinError' | 'parsePin'>;
    // Both copies as they are published; `npm run build` makes them.
    const esm = (await import('../../dist/esm/index.js' as string)) as Library;
    const cjs = createRequire(import.meta.url)('../../dist/cjs/index.js') as Library;
    const copies: Library[] = [esm, cjs, { CertpinError, findCertpinError, parsePin: esm.parsePin }];
    assert.equal(new Set(copies.map((copy) => copy.CertpinError)).size, 3, 'three classes');
    for (const maker of copies) {
      const error = new maker.CertpinError('ERR_CONNECT_TIMEOUT', 'late', { timeoutMs: 1 });
      for (const reader of copies) {
        assert.ok(error instanceof reader.CertpinError);
        assert.equal(reader.findCertpinError(new Error('wrapped', { cause: error })), error);
      }
    }
    for (const { parsePin } of [esm, cjs]) {
      assert.throws(
        () => parsePin('no pin'),
        (error) => error instanceof CertpinError && error.code === 'ERR_PIN_INVALID',
      );
    }
  });
});

describe('findCertpinError', () => {
  it('is not kept busy by what a server has answered, which MongoDB’s driver copies into its error', () => {
    const many = Array.from({ length: 2 ** 20 }, (_, index) => index);
    within(5_000, () => {
      for (const errors of ['x'.repeat(2 ** 24), Buffer.alloc(2 ** 24), many, new Map(many.entries()), new Set(many)])
        assert.equal(findCertpinError(Object.assign(new Error(), { errors, servers: errors })), undefined);
    });
    const endless = {
      errors: {
        *values() {
          for (;;) yield 1;
        },
      },
    };
    assert.equal(findCertpinError(endless), undefined);
  });

  const target = new CertpinError('ERR_CONNECT_TIMEOUT', 'late', { timeoutMs: 1 });
  const wrap = (cause: unknown) => new Error('wrapped', { cause });

  it('finds it where sequelize and typeorm keep the error of the driver', () => {
    assert.equal(findCertpinError({ original: target }), target);
    assert.equal(findCertpinError({ driverError: new Error('wrapped', { cause: target }) }), target);
  });

  it('finds it where Prisma keeps it, which hands on the code and the `meta` of an error, and not the error', () => {
    const { code, meta } = target as unknown as { code: string; meta: object };
    assert.equal(findCertpinError({ code, meta: { modelName: 'User', ...meta } }), target);
    assert.ok(!Object.keys(target).includes('meta'));
  });

  it('finds it where mssql, cassandra-driver and MongoDB keep it', () => {
    assert.equal(findCertpinError({ originalError: wrap(target) }), target);
    assert.equal(
      findCertpinError({ innerErrors: { '10.0.0.5:9042': new Error('x'), '10.0.0.6:9042': wrap(target) } }),
      target,
    );
    const servers = new Map<string, object>([
      ['one.example:27017', { address: 'one.example:27017', error: null }],
      ['two.example:27017', { address: 'two.example:27017', error: wrap(target) }],
    ]);
    assert.equal(
      findCertpinError(Object.assign(new Error('selection'), { reason: { type: 'Unknown', servers } })),
      target,
    );
  });

  it('finds it under a code that a client has written over its own', () => {
    const error = new CertpinError('ERR_CONNECT_TIMEOUT', 'late', { timeoutMs: 1 });
    Object.assign(error, { code: 'ESOCKET', command: 'CONN' });
    assert.equal(findCertpinError(wrap(error)), error);
    assert.ok(error instanceof CertpinError);
  });

  it('passes over what throws where it is read, and finds the error beside it', () => {
    const throwing = (name: string) =>
      Object.defineProperty({ originalError: target } as object, name, {
        get: () => {
          throw new Error('a getter');
        },
      });
    for (const name of ['cause', 'reason', 'errors', 'servers']) assert.equal(findCertpinError(throwing(name)), target);
    assert.equal(findCertpinError({ innerErrors: throwing('host'), cause: target }), target);
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('a trap');
        },
        ownKeys: () => {
          throw new Error('a trap');
        },
      },
    );
    assert.equal(findCertpinError({ errors: hostile, original: hostile, cause: target }), target);
  });

  it('ends where each error makes a new one', () => {
    class Endless {
      get cause() {
        return new Endless();
      }
    }
    assert.equal(findCertpinError(new Endless()), undefined);
  });

  it('finds the error itself', () => assert.equal(findCertpinError(target), target));

  it('finds it through a chain of causes', () => {
    assert.equal(findCertpinError(wrap(target)), target);
    assert.equal(findCertpinError(wrap(wrap(wrap(target)))), target);
    assert.equal(findCertpinError({ message: 'no error, but an object with a cause', cause: target }), target);
  });

  it('finds it among the errors of an AggregateError, at any depth', () => {
    const aggregate = new AggregateError([
      new Error('a'),
      wrap(new AggregateError([null, 'x', wrap(target)])),
      new Error('b'),
    ]);
    assert.equal(findCertpinError(aggregate), target);
    assert.equal(findCertpinError(wrap(aggregate)), target);
  });

  it('prefers the outermost', () => {
    const outer = new CertpinError('ERR_FILE_UNREADABLE', 'outer', { reason: 'x' }, { cause: target });
    assert.equal(findCertpinError(wrap(outer)), outer);
  });

  it('ends in a circle of causes', () => {
    const first = new Error('first') as Error & { cause?: unknown; errors?: unknown };
    const second = wrap(first);
    first.cause = second;
    first.errors = [first, second];
    assert.equal(findCertpinError(first), undefined);
    first.errors = [first, second, target];
    assert.equal(findCertpinError(second), target);
  });

  it('ends on a very long chain', () => {
    let error: unknown = target;
    for (let depth = 0; depth < 20_000; depth++) error = wrap(error);
    assert.equal(findCertpinError(error), target);
  });

  it('finds nothing in anything else', () => {
    for (const value of [
      undefined,
      null,
      0,
      '',
      'text',
      {},
      [],
      new Error('x'),
      new AggregateError([]),
      { errors: 'no list' },
    ]) {
      assert.equal(findCertpinError(value), undefined);
    }
  });

  it('narrows the details on the code', () => {
    const found: AnyCertpinError | undefined = findCertpinError(target);
    assert.equal(found?.code === 'ERR_CONNECT_TIMEOUT' && found.details.timeoutMs, 1);
  });
});

describe('the details of an error', () => {
  it('narrow on the code: of what was found, what was recognised, and an instance', () => {
    const thrown: unknown = new CertpinError('ERR_CONNECT_TIMEOUT', 'late', { timeoutMs: 30 });
    const found = findCertpinError(new Error('wrapped', { cause: thrown }));
    const times: number[] = [];
    if (found?.code === 'ERR_CONNECT_TIMEOUT') times.push(found.details.timeoutMs);
    if (isCertpinError(thrown) && thrown.code === 'ERR_CONNECT_TIMEOUT') times.push(thrown.details.timeoutMs);
    if (thrown instanceof CertpinError && thrown.code === 'ERR_CONNECT_TIMEOUT') times.push(thrown.details.timeoutMs);
    if (found?.code === 'ERR_PIN_MISMATCH') assert.fail(found.details.verdict.reason);
    assert.deepEqual(times, [30, 30, 30]);
    assert.equal(isCertpinError(new Error('another')), false);
  });

  it('hold no secret, in JSON or otherwise', async () => {
    const server = await mint();
    const peer = { host: 'db.example.com', port: 5432, certificates: [server.x509], password: 'hunter2' };
    const errors = [
      refusalError(refused(verify(peer, { pins: 'AB'.repeat(32) }))),
      refusalError(refused(verify({ ...peer, certificates: [] }, { pins: server.certPem, issuerPins: server.x509 }))),
      pinRefusal(server.keyPem),
      pinRefusal('hunter2:hunter2'),
    ];
    for (const error of errors) {
      const json = JSON.stringify({ message: error.message, details: error.details, stack: error.stack });
      assert.doesNotMatch(json, /hunter2|PRIVATE KEY-----/);
      assert.ok(!json.includes(server.keyPem.split('\n')[1] ?? ''));
    }
  });

  it('hold the verdict of a refusal as plain data', async () => {
    const server = await mint();
    const error = refusalError(
      refused(verify({ host: 'h', port: 1, certificates: [server.x509] }, { pins: 'AB'.repeat(32) })),
    );
    const details = JSON.parse(JSON.stringify(error.details)) as {
      verdict: { host: string; presented: { sha256: string }[] };
    };
    assert.equal(details.verdict.host, 'h');
    assert.equal(details.verdict.presented[0]?.sha256, certificateHex(server));
  });
});
