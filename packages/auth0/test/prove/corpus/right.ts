import { inlineBlock } from '../../../src/index.ts';
import { type Client, login } from './clients.ts';
import type { Case, Site } from './site.ts';

// Scripts that pin their server: with certpin, with its blocks, and by hand.

const OFF = ['rejectUnauthorized', 'false'].join(': ');

/** What belongs to one certificate or one key only. */
const things: Readonly<Record<string, string>> = {
  fingerprint256: 'c.fingerprint256 === G.fingerprint256',
  fingerprint512: 'c.fingerprint512 === G.fingerprint512',
  'one of two fingerprints': "['AB:CD', G.fingerprint256].includes(c.fingerprint256)",
  'SHA-256 of the bytes': "crypto.createHash('sha256').update(c.raw).digest('hex') === G.sha256",
  'SHA-384 of the bytes, in constant time':
    "crypto.timingSafeEqual(crypto.createHash('sha384').update(c.raw).digest(), Buffer.from(G.sha384, 'hex'))",
  'the bytes': "c.raw.equals(Buffer.from(G.raw, 'base64'))",
  'the bytes in base64': "c.raw.toString('base64') === G.raw",
  'the public key': "c.pubkey.equals(Buffer.from(G.pubkey, 'base64'))",
  'fingerprint256 of X509Certificate': 'x.fingerprint256 === G.fingerprint256',
  'the bytes of X509Certificate': "x.raw.equals(Buffer.from(G.raw, 'base64'))",
  'the SubjectPublicKeyInfo, hashed':
    "crypto.createHash('sha256').update(x.publicKey.export({ type: 'spki', format: 'der' })).digest('base64') === G.spki256",
  'the key object': 'x.publicKey.equals(crypto.createPublicKey(G.keyPem))',
  'the PEM text': 'x.toString().trim() === G.pem.trim()',
  'fingerprint256, names and dates':
    'c.fingerprint256 === G.fingerprint256 && c.subject.CN === G.subject.CN && new Date(c.valid_to) > new Date()',
};

const guardOf = (match: string): string =>
  `(socket) => { ${/\bc\./.test(match) ? 'const c = socket.getPeerCertificate();' : ''} ${/\bx\./.test(match) ? 'const x = socket.getPeerX509Certificate();' : ''} return ${match}; }`;

export function rightCases(site: Site): Case[] {
  const cases: Case[] = [];
  const add = (name: string, body: string, more: Partial<Case> = {}): void => {
    cases.push({ name, source: login(`const G = ${site.constants(more.issued ?? false)};\n  ${body}`), ...more });
  };
  Object.entries(things).forEach(([thing, match], index) => {
    for (const issued of [false, true]) {
      const clients = Object.entries(site.http(issued));
      const [client, write] = clients[index % clients.length] as [string, Client];
      add(
        `by hand, ${issued ? 'issued' : 'self-signed'}, ${client}: ${thing}`,
        write({ options: OFF, guard: guardOf(match) }),
        { issued },
      );
    }
  });
  // The server's own certificate as the only one that is trusted.
  for (const [client, write] of Object.entries({ ...site.http(false), ...site.databases })) {
    add(`its own certificate as ca, ${client}`, write({ options: 'ca: G.caPem' }));
  }
  const identity =
    "checkServerIdentity: (name, c) => c.fingerprint256 === G.fingerprint256 ? undefined : new Error('another server')";
  for (const [client, write] of Object.entries(site.http(true))) {
    add(`checkServerIdentity behind what Node trusts, ${client}`, write({ options: identity }), {
      issued: true,
      trusts: true,
    });
  }
  for (const [client, write] of [...Object.entries(site.http(false)).slice(1, 3), ['pg', site.databases.pg] as const]) {
    add(
      `checkServerIdentity behind public CAs and its own, ${client}`,
      (write as Client)({ options: `ca: [...tls.rootCertificates, G.caPem], ${identity}` }),
    );
  }
  for (const issued of [false, true]) {
    const { host, port } = site.place(issued);
    const send = `{ host: '${host}', port: ${port}, method: 'POST', agent }`;
    const https = `require('https').request(${send}, (response) => response.resume().on('end', () => callback(null, { user_id: '1', email }))).on('error', callback).end(password);`;
    const then = ".then(() => callback(null, { user_id: '1', email }), callback);";
    const url = `'https://${host}:${port}/login'`;
    const faces: Readonly<Record<string, readonly [subpath: string, body: string]>> = {
      https: ['https', `const agent = C.pinnedAgent({ pins: G.sha256 }); ${https}`],
      axios: [
        'axios',
        `require('axios').create(C.pinnedAxios({}, { pins: G.sha256 })).post(${url}, { email, password })${then}`,
      ],
      fetch: [
        'undici',
        `C.pinnedFetch({ pins: G.sha256 })(${url}, { method: 'POST', body: password }).then((response) => response.text())${then}`,
      ],
    };
    for (const [client, [subpath, body]] of Object.entries(faces)) {
      add(
        `certpin/${subpath}, ${issued ? 'issued' : 'self-signed'}`,
        `const C = require('certpin/${subpath}');\n  ${body}`,
        { issued },
      );
      const block = inlineBlock(client as 'https').text;
      add(
        `the block for ${client}, ${issued ? 'issued' : 'self-signed'}`,
        `${block}\n  const C = certpin;\n  ${body}`,
        { issued },
      );
    }
  }
  const account = (name: 'postgres' | 'mariadb'): string => JSON.stringify(site.account(name));
  const then = ".then(() => callback(null, { user_id: '1', email }), callback)";
  const drivers: Readonly<Record<string, string>> = {
    pg: `const client = new (require('pg').Client)(C.pinnedPg(${account('postgres')}, { pins: G.sha256 })); client.on('error', () => {}); client.connect().then(() => client.query('SELECT 1'))${then}.finally(() => client.end().catch(() => {}));`,
    mysql2: `require('mysql2/promise').createConnection(C.pinnedMysql2(${account('mariadb')}, { pins: G.sha256 })).then((connection) => connection.query('SELECT 1').finally(() => connection.destroy()))${then};`,
    mariadb: `require('mariadb').createConnection(C.pinnedMariadb(${account('mariadb')}, { pins: G.sha256 })).then((connection) => connection.query('SELECT 1').finally(() => connection.end()))${then};`,
  };
  for (const [client, body] of Object.entries(drivers)) {
    add(`certpin/${client}`, `const C = require('certpin/${client}');\n  ${body}`);
    add(`the block for ${client}`, `${inlineBlock(client as 'pg').text}\n  const C = certpin;\n  ${body}`);
  }
  return cases;
}
