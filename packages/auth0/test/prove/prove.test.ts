import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import {
  type CountingServer,
  certificateHex,
  isLong,
  longOnly,
  type Minted,
  mint,
  startHttpsServer,
} from '@certpin/testkit';
import { type Mariadb, startMariadb } from '@certpin/testkit/mariadb';
import { type Postgres, startPostgres } from '@certpin/testkit/postgres';
import { type ImpostorName, type ProofReport, prove, type RunResult, runScript } from '../../src/index.ts';
import { axiosScript, mysqlScript, pgScript } from './article.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'certpin-prove-'));
const args = { email: 'ada@example.com', password: 'correct horse' };

/** Two certificates for each server: its own, and one of a CA that the scripts are made to trust, as they trust public ones. */
let selfSigned: Minted;
let issued: Minted;
let trustedCaFile: string;
let postgres: Postgres;
let mariadb: Mariadb;
let api: CountingServer;

before(async () => {
  selfSigned = await mint();
  const ca = await mint({ subject: 'CN=Public CA', ca: true });
  issued = await mint({ issuer: ca, keyType: 'rsa' });
  trustedCaFile = join(folder, 'public-ca.pem');
  writeFileSync(trustedCaFile, ca.certPem);
  [postgres, mariadb, api] = await Promise.all([
    startPostgres({ certificate: selfSigned }),
    startMariadb({ certificate: selfSigned }),
    startHttpsServer({ certificate: selfSigned }),
  ]);
});
after(async () => {
  await Promise.all([postgres.stop(), mariadb.stop(), api.close()]);
  rmSync(folder, { recursive: true });
});

async function present(certificate: Minted): Promise<void> {
  api.present(certificate);
  await Promise.all([postgres.present(certificate), mariadb.present(certificate)]);
}

const script = (source: string) => ({ source, folder: here, fileName: 'login.js' });
const run = (source: string, options: object = {}): Promise<RunResult> =>
  runScript(script(source), { args, ...options });
const proof = (source: string, options: object = {}): Promise<ProofReport> =>
  prove(script(source), { args, stallMs: 3000, ...options });
const trialsOf = ({ servers: [server] }: ProofReport) =>
  Object.fromEntries(
    (server?.trials ?? []).filter(({ moment }) => moment === 'at-once').map((trial) => [trial.impostor, trial]),
  );
const imitated: readonly ImpostorName[] = [
  ...(['another-key', 'genuine-chain', 'trusted-ca', 'trusted-namesake', 'trusted-chain', 'another-name'] as const),
  ...(['asked-name', 'common-name', 'expired', 'expiring', 'renewed', 'stolen-certificate', 'plaintext'] as const),
];
/** Of a certificate that a CA has issued. */
const imitatedIssued: readonly ImpostorName[] = [
  ...(['another-key', 'self-signed', 'genuine-chain', 'genuine-issuer', 'trusted-ca', 'trusted-namesake'] as const),
  ...(['trusted-chain', 'another-name', 'asked-name', 'common-name', 'expired', 'expiring', 'renewed'] as const),
  ...(['stolen-certificate', 'plaintext'] as const),
];
const account = ({ host, port, user, password, database }: Postgres | Mariadb) => ({
  host,
  port,
  user,
  password,
  database,
});
const mysql2 = "const mysql = require('mysql2');\n";

describe("the article's scripts, as they stand there", () => {
  it('refuse the very server that they pin, and the runner says why', async () => {
    await present(selfSigned);
    const pin = certificateHex(selfSigned);
    const results = {
      axios: await run(axiosScript(api, pin)),
      pg: await run(pgScript(account(postgres), pin)),
      mysql2: await run(mysqlScript(account(mariadb), pin, mysql2)),
    };
    for (const [client, code] of [
      ['axios', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      ['pg', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      ['mysql2', 'HANDSHAKE_SSL_ERROR'],
    ] as const) {
      const { status, outcome, findings, warnings, client: seen } = results[client];
      assert.deepEqual([status, outcome.type === 'callback' && outcome.error?.code], ['error', code], client);
      assert.equal(findings[0]?.code, 'not-one-function');
      assert.match(
        warnings.map(({ message }) => message).join(),
        /verifies the chain before it calls checkServerIdentity/,
      );
      assert.match(`${seen?.error}: ${seen?.error_description}`, /^invalid_grant: .*self.signed certificate/i);
    }
  });

  it('for MySQL, name a global that there is no more', async () => {
    const { status, warnings } = await run(mysqlScript(account(mariadb), 'AB'));
    assert.equal(status, 'error');
    assert.match(warnings[0]?.message ?? '', /^mysql is not a global since Node 16/);
  });

  it('prove nothing with a self-signed certificate: the control fails, and the report says why', async () => {
    const report = await proof(pgScript(account(postgres), certificateHex(selfSigned)));
    assert.equal(report.finding, 'unproved');
    assert.match(report.reasons[0] ?? '', /DEPTH_ZERO_SELF_SIGNED_CERT.*verifies the chain before/);
    assert.deepEqual(report.servers, []);
  });

  for (const [client, write, leaked, behind] of [
    [
      'axios',
      () => axiosScript(api, certificateHex(issued)),
      ['body', 'password', 'request', 'user name'],
      /the exchange went on after .*fingerprint mismatch/,
    ],
    [
      'pg',
      () => pgScript(account(postgres), certificateHex(issued)),
      ['password', 'query', 'user name'],
      /the exchange went on after .*fingerprint mismatch/,
    ],
    [
      'mysql2',
      () => mysqlScript(account(mariadb), certificateHex(issued), mysql2),
      ['answer to the password challenge', 'password', 'query', 'user name'],
      /nothing compared the certificate with a pin/,
    ],
  ] as const) {
    it(
      `with ${client} and a trusted chain: the login reaches the impostor`,
      client === 'pg' ? {} : longOnly,
      async () => {
        await present(issued);
        const report = await proof(write(), { trustedCaFile });
        const trials = trialsOf(report);
        assert.equal(report.control.status, 'success', JSON.stringify(report.control));
        assert.equal(report.finding, 'leaked');
        assert.deepEqual(trials['trusted-ca']?.kinds, leaked);
        assert.match(report.reasons.join('\n'), behind);
        for (const other of ['another-key', 'stolen-certificate', 'plaintext'] as const)
          assert.equal(trials[other]?.bytes, 0, other);
      },
    );
  }
});

describe('scripts with certpin', () => {
  const scripts = {
    https: () => `function login(email, password, callback) {
      const { pinnedAgent } = require('certpin/https');
      const request = require('https').request({ host: '${api.host}', port: ${api.port}, method: 'POST', agent: pinnedAgent({ pins: configuration.PINS }) }, (response) => {
        response.resume().on('end', () => callback(null, { user_id: '1', email }));
      });
      request.on('error', callback).end(password);
    }`,
    pg: () => `async function login(email, password, callback) {
      const { Client } = require('pg');
      const { pinnedPg } = require('certpin/pg');
      const client = new Client(pinnedPg(${JSON.stringify(account(postgres))}, { pins: configuration.PINS }));
      try {
        await client.connect();
        const { rows } = await client.query('SELECT $1::text AS id', [email]);
        callback(null, { user_id: rows[0].id, email });
      } catch (error) {
        callback(error);
      } finally {
        await client.end();
      }
    }`,
    mysql2: () => `async function login(email, password, callback) {
      const { createConnection } = require('mysql2/promise');
      const { pinnedMysql2 } = require('certpin/mysql2');
      try {
        const connection = await createConnection(pinnedMysql2(${JSON.stringify(account(mariadb))}, { pins: configuration.PINS }));
        const [rows] = await connection.query('SELECT ? AS id', [email]);
        await connection.end();
        callback(null, { user_id: rows[0].id, email });
      } catch (error) {
        callback(error);
      }
    }`,
  };

  for (const [name, write] of Object.entries(scripts)) {
    it(`${name}: no byte reaches any impostor`, name === 'pg' ? {} : longOnly, async () => {
      for (const certificate of name === 'pg' ? [selfSigned, issued] : [selfSigned]) {
        await present(certificate);
        const report = await proof(write(), { configuration: { PINS: certificateHex(certificate) }, trustedCaFile });
        assert.deepEqual(report.reasons, []);
        assert.equal(report.finding, 'held');
        const trials = report.servers[0]?.trials ?? [];
        const names = certificate === issued ? imitatedIssued : imitated;
        assert.deepEqual(
          trials
            .filter(({ moment }) => moment === 'at-once')
            .map(({ impostor, bytes, connections }) => [impostor, bytes, connections > 0]),
          names.map((impostor) => [impostor, 0, true]),
        );
        assert.deepEqual(
          trials
            .filter(({ moment }) => moment !== 'at-once')
            .map(({ impostor, moment, bytes }) => `${impostor} ${moment} ${bytes}`),
          [
            'another-key again 0',
            'trusted-ca again 0',
            'trusted-namesake again 0',
            ...['after-reset', 'after-refusal', 'after-stall', 'warm'].map((moment) => `trusted-ca ${moment} 0`),
            'another-key warm 0',
            'trusted-namesake warm 0',
          ],
        );
        assert.deepEqual(
          [report.servers[0]?.certificateSha256, report.servers[0]?.tls],
          [certificateHex(certificate), true],
        );
      }
    });
  }

  it('with the wrong pin prove nothing', async () => {
    const report = await proof(scripts.pg(), { configuration: { PINS: 'AB'.repeat(32) } });
    assert.equal(report.finding, 'unproved');
    assert.match(report.reasons[0] ?? '', /ERR_PIN_MISMATCH/);
  });
});

describe('scripts that verify nothing', () => {
  before(() => present(selfSigned));
  const pg = (ssl: string): string => pgScript(account(postgres), '').replace(/ssl: \{[\s\S]*?\n {4}\}/, `ssl: ${ssl}`);
  const unverified = `{ ${['rejectUnauthorized', 'false'].join(': ')} }`;

  it('are found out by every certificate, but not by the genuine one without its key', async () => {
    const report = await proof(pg(unverified));
    const trials = trialsOf(report);
    assert.equal(report.finding, 'leaked');
    assert.deepEqual(trials['another-key']?.kinds, ['password', 'query', 'user name']);
    assert.ok((trials['trusted-ca']?.bytes ?? 0) > 0);
    assert.deepEqual([trials['stolen-certificate']?.bytes, trials['stolen-certificate']?.handshakes], [0, 0]);
    assert.match(trials['stolen-certificate']?.run.error?.message ?? '', /signature/);
    assert.match(report.reasons[0] ?? '', /nothing verified the certificate$/);
  });

  it('that begin TLS though it was refused have said nothing', longOnly, async () => {
    const { password, ...rest } = account(postgres);
    const source = `async function login(email, password, callback) {
      const sql = require('postgres')({ ...${JSON.stringify(rest)}, password: '${password}', ssl: 'require' });
      await sql\`SELECT 1\`.then(() => callback(null, { user_id: '1', email }), callback);
      await sql.end();
    }`;
    const trials = trialsOf(await proof(source, { timeLimitMs: 5_000 }));
    assert.deepEqual(
      [(trials['another-key']?.bytes ?? 0) > 0, trials.plaintext?.bytes, trials.plaintext?.connections],
      [true, 0, 1],
    );
    // The impostor answers: else the driver would wait for its own time limit, which is longer than the platform's.
    assert.deepEqual(
      [trials.plaintext?.run.error?.code, trials.plaintext?.run.findings],
      ['ERR_SSL_WRONG_VERSION_NUMBER', []],
    );
  });

  it('are found out where they ask for no TLS', async () => {
    const inMysql = mysqlScript(account(mariadb), '', mysql2).replace(/ssl: \{[^}]*\}/, 'charset: "utf8"');
    for (const source of isLong ? [pg('false'), inMysql] : [pg('false')]) {
      const report = await proof(source);
      assert.deepEqual([report.finding, report.servers[0]?.tls], ['leaked', false]);
      assert.match(report.reasons[0] ?? '', /\(no TLS\) got \d+ bytes: .*query.*; the script does not ask for TLS/);
    }
  });

  it('are no proof where they connect to nothing, and no report repeats a value', async () => {
    const none = await proof("function login(email, password, callback) { callback(null, { user_id: '1', email }); }");
    assert.deepEqual([none.finding, none.reasons], ['unproved', ['the script connected to no server']]);
    const report = await proof(pg(unverified));
    for (const secret of [postgres.password, args.password]) assert.ok(!JSON.stringify(report).includes(secret));
  });
});

describe('what was not tried is not called held', () => {
  before(() => present(selfSigned));
  const unverified = ['rejectUnauthorized', 'false'].join(': ');
  const answer = "callback(null, { user_id: '1', email })";
  const post = ({ port }: { port: number }, options: string, then: string, failed = 'callback'): string =>
    `require('https').request({ host: '127.0.0.1', port: ${port}, method: 'POST', ${options} }, (response) => {
      response.resume().on('end', () => { ${then} });
    }).on('error', ${failed}).end(password);`;
  const pinned = "agent: require('certpin/https').pinnedAgent({ pins: configuration.PINS })";
  const login = (body: string): string => `function login(email, password, callback) { ${body} }`;
  const pinnedProof = (body: string): Promise<ProofReport> =>
    proof(login(body), { configuration: { PINS: certificateHex(selfSigned) } });

  it('other threads, processes, sockets of the machine, datagrams: each is named', async () => {
    const { finding, reasons } = await pinnedProof(`
      new (require('worker_threads').Worker)('0', { eval: true });
      require('child_process').execFile(process.execPath, ['-v']);
      new (require('net').Socket)().on('error', () => {}).connect('/no/such/socket');
      const udp = require('dgram').createSocket('udp4');
      udp.send('', 9, '127.0.0.1', () => udp.close());
      ${post(api, pinned, answer)}`);
    assert.equal(finding, 'unproved');
    assert.deepEqual(
      reasons
        .map((reason) => /^the script uses (.*), and the proof does not see what it says there$/.exec(reason)?.[1])
        .sort(),
      ['a socket of this machine', 'another process', 'another thread', 'datagrams'],
    );
  });

  it('a look-up of a name that is no server, a port that is opened: each is named, and no name is repeated', async () => {
    const { finding, reasons } = await pinnedProof(`
      const hidden = Buffer.from(password).toString('hex');
      require('dns').promises.resolveTxt(hidden + '.example.invalid').catch(() => {});
      const server = require('net').createServer().listen(0, () => server.close());
      ${post(api, pinned, answer)}`);
    assert.equal(finding, 'unproved');
    assert.deepEqual([...reasons].sort(), [
      'the script looks up a name that none of its servers has, and a name can carry data',
      'the script puts password into a name that goes over the network in clear',
      'the script uses a port that it opens, and the proof does not see what it says there',
    ]);
  });

  it('a look-up of the name of its server is none of that', longOnly, async () => {
    const byName = post(api, pinned, answer).replace("host: '127.0.0.1'", "host: 'localhost'");
    const { finding, reasons } = await pinnedProof(`require('dns').lookup('localhost', () => { ${byName} });`);
    assert.deepEqual([finding, reasons], ['held', []]);
  });

  it('a success before an impostor', async () => {
    const { finding, reasons } = await pinnedProof(post(api, pinned, answer, `() => ${answer}`));
    assert.equal(finding, 'unproved');
    assert.match(reasons[0] ?? '', /with the impostor \(another-key\) in its place, the script reported success$/);
  });

  // Node's own check of the names looks at the subject and its alternative names, where OpenSSL took the certificate.
  it('SHA-1, which every impostor fails: what was looked at is told', async () => {
    const socket = `const socket = require('tls').connect({ host: '127.0.0.1', port: ${api.port}, ${unverified} }, () => {
      const certificate = socket.getPeerCertificate();
      if (MATCH) return socket.end(password, () => ${answer});
      socket.destroy();
      callback(new Error('another server'));
    }).on('error', callback);`;
    const sha1 = createHash('sha1').update(selfSigned.x509.raw).digest('hex');
    const hashes = [
      [`certificate.fingerprint === '${selfSigned.x509.fingerprint}'`, ['fingerprint', 'subject', 'subjectaltname']],
      [
        `require('crypto').createHash('sha1').update(certificate.raw).digest('hex') === '${sha1}'`,
        ['raw', 'subject', 'subjectaltname', 'weak digest'],
      ],
    ] as const;
    for (const [match, lookedAt] of isLong ? hashes : hashes.slice(1)) {
      const report = await proof(login(socket.replace('MATCH', match)));
      assert.equal(report.finding, 'unproved', report.reasons.join());
      assert.deepEqual(trialsOf(report)['trusted-ca']?.lookedAt, lookedAt);
      assert.match(report.reasons.join(), /refused the impostor \(trusted-ca\), but it compares a hash \(SHA-1, MD5\)/);
    }
  });

  it('a second connection that nothing verifies, behind one that is pinned', async () => {
    const { finding, reasons } = await pinnedProof(post(api, pinned, post(api, unverified, answer)));
    assert.equal(finding, 'leaked');
    assert.match(reasons[0] ?? '', /, connection 2: .*got \d+ bytes: body, password, request; nothing verified/);
  });

  it('a connection to another place where the pinned one was refused', longOnly, async () => {
    const other = await startHttpsServer({ certificate: selfSigned });
    const { finding, reasons } = await pinnedProof(
      post(api, pinned, answer, `() => { ${post(other, unverified, answer)} }`),
    );
    await other.close();
    assert.equal(finding, 'unproved');
    assert.match(reasons[0] ?? '', new RegExp(`the script went to 127.0.0.1:${other.port}, which was not tried`));
  });

  it('a connection that is made, or used, after the answer', async () => {
    const late = `setTimeout(() => { ${post(api, unverified, '', '() => {}')} }, 480); ${answer};`;
    const slow = `const socket = require('tls').connect({ host: '127.0.0.1', port: ${api.port}, ${unverified} });
      socket.on('error', () => {}); setTimeout(() => socket.write(password), 700); ${answer};`;
    for (const body of isLong ? [late, slow] : [late]) {
      const { finding, reasons } = await pinnedProof(body);
      assert.deepEqual([finding, reasons.length > 0 && /password/.test(reasons[0] ?? '')], ['leaked', true], body);
    }
  });

  it('a connection that is neither used nor given up', longOnly, async () => {
    const silent = `require('tls').connect({ host: '127.0.0.1', port: ${api.port}, ${unverified} }); ${answer};`;
    const { finding, reasons } = await pinnedProof(silent);
    assert.equal(finding, 'unproved');
    assert.match(reasons[0] ?? '', /the script neither spoke to the impostor \(another-key\) nor gave it up$/);
  });

  it('a server that speaks first, in a protocol that no impostor knows', longOnly, async () => {
    const greeter = createServer((socket) => {
      socket.on('error', () => undefined).write('220 mail.example.com ESMTP\r\n');
      socket.on('data', () => socket.end('250 OK\r\n'));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => greeter.once('listening', resolve));
    const { port } = greeter.address() as AddressInfo;
    const { finding, reasons } = await pinnedProof(`
      const socket = require('net').connect(${port}, '127.0.0.1');
      const timer = setTimeout(() => { socket.destroy(); callback(new Error('no greeting')); }, 300);
      socket.once('data', () => {
        clearTimeout(timer);
        socket.once('data', () => { socket.destroy(); ${answer}; }).write('AUTH PLAIN ' + password);
      });`);
    greeter.close();
    assert.equal(finding, 'unproved');
    assert.match(reasons[0] ?? '', /does not ask for TLS in a known way, and said nothing/);
  });

  it('an impostor whose TLS the script cannot speak', longOnly, async () => {
    // Of its two certificates it shows the one to the proof, and the other one to the script.
    const server = createTlsServer(
      { cert: [selfSigned, issued].map(pem), key: [selfSigned, issued].map(key) },
      (socket) => socket.on('error', () => undefined).once('data', () => socket.end('HTTP/1.1 204 No Content\r\n\r\n')),
    ).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const options = `${unverified}, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256'`;
    const { finding, reasons } = await pinnedProof(post({ port }, options, answer));
    server.close();
    assert.equal(finding, 'unproved', reasons.join());
    assert.match(reasons[0] ?? '', /and the impostor \(another-key\) do not agree on TLS: ERR_SSL_NO_SHARED_CIPHER$/);
  });

  it('an impostor that the script gives up before its TLS handshake', longOnly, async () => {
    // From the control on, the script drops its connections as soon as they are there: as a short time limit does under load.
    const seen = join(folder, 'seen');
    const server = createTlsServer({ cert: pem(selfSigned), key: key(selfSigned) }, (socket) => {
      socket
        .on('error', () => undefined)
        .once('data', () => {
          writeFileSync(seen, '');
          socket.end();
        });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { finding, reasons } = await pinnedProof(`
      const isLate = require('fs').existsSync('${seen}');
      const raw = require('net').connect(${port}, '127.0.0.1', () => {
        if (isLate) return raw.destroy(), callback(new Error('too slow'));
        const socket = require('tls').connect({ socket: raw, ${unverified} }, () => {
          if (socket.getPeerCertificate().fingerprint256 !== '${selfSigned.x509.fingerprint256}') return socket.destroy();
          socket.on('end', () => ${answer}).resume().write(password);
        });
        socket.on('error', callback);
      });`);
    server.close();
    assert.equal(finding, 'unproved');
    for (const impostor of ['another-key', 'trusted-namesake', 'expiring'])
      assert.match(reasons.join('\n'), new RegExp(`gave the impostor \\(${impostor}\\) up before a TLS handshake`));
  });

  it('one run whose time limit ended before its TLS handshake says nothing, and is repeated', longOnly, async () => {
    const runs = join(folder, 'runs');
    const { port } = api;
    const { finding, reasons } = await pinnedProof(`
      const { appendFileSync, readFileSync } = require('fs');
      appendFileSync('${runs}', '.');
      const isSlow = readFileSync('${runs}').length === 6;
      const raw = require('net').connect(${port}, '127.0.0.1', () => {
        if (isSlow) return raw.destroy(), callback(new Error('too slow'));
        const socket = require('tls').connect({ socket: raw, ${unverified} }, () => {
          if (socket.getPeerCertificate().fingerprint256 !== '${selfSigned.x509.fingerprint256}')
            return socket.destroy(), callback(new Error('another certificate'));
          socket.write('POST / HTTP/1.1\\r\\nhost: localhost\\r\\ncontent-length: ' + password.length + '\\r\\n\\r\\n' + password);
          socket.once('data', () => { socket.destroy(); ${answer}; });
        });
        socket.on('error', callback);
      });`);
    assert.deepEqual([finding, reasons], ['held', []]);
    assert.ok(readFileSync(runs).length > 6);
  });

  it('a script that never answers an impostor', longOnly, async () => {
    const quiet = login(post(api, pinned, answer, '() => setInterval(() => {}, 1000)'));
    const options = { configuration: { PINS: certificateHex(selfSigned) }, timeLimitMs: 3000 };
    const { finding, reasons } = await proof(quiet, options);
    assert.equal(finding, 'unproved');
    assert.match(reasons[0] ?? '', /with the impostor \(another-key\), the script gave no answer within 3 s/);
  });

  it(
    'what has no part in it changes nothing: a port that there is not, and messages that nobody asked for',
    longOnly,
    async () => {
      const { finding, reasons } = await pinnedProof(`
      for (const port of [99999, NaN]) try { require('net').connect({ port }); } catch {}
      process.send?.(null);
      process.send?.({ type: 'end', drained: false });
      ${post(api, pinned, answer)}`);
      assert.deepEqual([finding, reasons], ['held', []]);
    },
  );

  it('an error of the script is told as text, whatever it is', longOnly, async () => {
    const failed = "() => callback({ name: 1, code: 401, message: { toJSON: () => ['no'] } })";
    const { finding, servers } = await pinnedProof(post(api, pinned, answer, failed));
    const error = { name: '1', code: '401', message: 'no' };
    assert.deepEqual([finding, servers[0]?.trials[0]?.run.error], ['held', error]);
  });

  it('an error of the script that repeats the password is told without it', async () => {
    const failed = "() => callback(new Error('cannot log ' + email + ' in with ' + password))";
    const report = await pinnedProof(post(api, pinned, answer, failed));
    assert.equal(trialsOf(report)['another-key']?.run.error?.message, 'cannot log [user name] in with [password]');
    assert.ok(!JSON.stringify(report).includes(args.password));
  });
});

const pem = ({ certPem }: Minted): string => certPem;
const key = ({ keyPem }: Minted): string => keyPem;
