// What `--fix` writes never makes a program weaker: every repair is run before and after, against a server that is not the pinned one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { credentials, longOnly, type Minted, mint } from '@certpin/testkit';
import { inlineBlock } from '../../src/inline/block.ts';
import { digestLine, digestOf, firstLine, lastLine } from '../../src/inline/header.ts';
import { verifyInline } from '../../src/inline/verify.ts';
import { applyFixes } from '../../src/lint/fix.ts';
import { lintText, rules } from '../../src/lint/index.ts';

const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url));

interface Script {
  readonly code: string;
  /** Files beside it, which the linter does not see. */
  readonly files?: Record<string, string>;
  readonly env?: Record<string, string>;
}

/** Throws where the certificate is not the pinned one. */
const check =
  "checkServerIdentity(host, cert) { if (cert.fingerprint256 !== PIN) throw new Error('wrong certificate'); }";
const https = "const https = require('https');\n";
const target = "host: 'localhost', port: PORT, method: 'POST'";
const send = ".on('error', (error) => console.log('refused: ' + error.message)).end('password=secret');";
const ignore = '(response) => response.resume()';

/** In each of these an exception stops what a returned error lets happen. */
const throwing: Record<string, Script> = {
  'verification off beside the check': {
    code: `${https}https.request({ ${target}, rejectUnauthorized: false, ${check} }, ${ignore})${send}`,
  },
  'verification off at the request, the check in the agent': {
    code: `${https}const agent = new https.Agent({ ${check} });\nhttps.request({ ${target}, agent, rejectUnauthorized: false }, ${ignore})${send}`,
  },
  'verification off in the agent, the check at the request': {
    code: `${https}const agent = new https.Agent({ rejectUnauthorized: false });\nhttps.request({ ${target}, agent, rejectUnauthorized: true, ${check} }, ${ignore})${send}`,
  },
  'verification off in the options of the global agent': {
    code: `${https}https.globalAgent.options.rejectUnauthorized = false;\nhttps.request({ ${target}, ${check} }, ${ignore})${send}`,
  },
  'verification off for the process, in the file': {
    code: `process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';\n${https}https.request({ ${target}, ${check} }, ${ignore})${send}`,
  },
  'verification off for the process, in the environment': {
    code: `${https}https.request({ ${target}, ${check} }, ${ignore})${send}`,
    env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
  },
  'verification off in another file': {
    code: `require('./connect.js')({ ${check} });`,
    files: {
      'connect.js': `${https}module.exports = (options) => https.request({ ...options, ${target}, rejectUnauthorized: false }, ${ignore})${send}`,
    },
  },
  'verification off for the process, in another file': {
    code: `require('./off.js');\n${https}https.request({ ${target}, ${check} }, ${ignore})${send}`,
    files: { 'off.js': `${https}https.globalAgent.options.rejectUnauthorized = false;` },
  },
  'verification off by a spread that is not seen': {
    code: `${https}https.request({ ${target}, ${check}, ...JSON.parse('{"rejectUnauthorized":false}') }, ${ignore})${send}`,
  },
  'tls.connect without verification': {
    code: `require('tls').connect({ ${target}, servername: 'localhost', rejectUnauthorized: false, ${check} }, function () { this.end('secret'); }).on('error', console.log);`,
  },
  'axios, verification off in its agent': {
    code: `${https}require('axios').post('https://localhost:PORT/', 'secret', { proxy: false, httpsAgent: new https.Agent({ rejectUnauthorized: false, ${check} }) }).catch(console.log);`,
  },
  'HTTP/2, verification off': {
    code: `require('http2').connect('https://localhost:PORT', { rejectUnauthorized: false, ${check} }).on('error', console.log).request({ ':method': 'POST', secret: 'secret' }).on('error', () => {});`,
  },
  'undici, verification off in its connector': {
    code: `const { Agent, request } = require('undici-6');\nrequest('https://localhost:PORT/', { method: 'POST', body: 'secret', dispatcher: new Agent({ connect: { rejectUnauthorized: false, ${check} } }) }).catch(console.log);`,
  },
  'pg, verification off in ssl': {
    code: `const { Client } = require('pg');\nconst client = new Client({ host: 'localhost', port: PORT, user: 'ada', password: 'secret', ssl: { rejectUnauthorized: false, ${check} } });\nclient.connect().catch(console.log);`,
  },
  'the check is called by another name, and its result is not looked at': {
    code: `const options = { ca: [], ${check} };
const { checkServerIdentity: verify } = options;
const socket = require('tls').connect({ ${target}, servername: 'localhost', rejectUnauthorized: false }, () => {
  verify('localhost', socket.getPeerCertificate());
  socket.end('secret');
});
socket.on('error', console.log);`,
  },
  'the error is heard by a handler that says nothing': {
    code: `${https}https.request({ ${target}, rejectUnauthorized: true, ${check} }, ${ignore}).on('error', () => {}).end('secret');`,
  },
  'the error is heard by a handler that connects again': {
    code: `${https}const open = (options) => https.request({ ${target}, ...options }, ${ignore});
const again = () => { open({ rejectUnauthorized: false })${send} };
open({ ${check} }).on('error', again).end('secret');`,
  },
  'the process goes on, and connects without a check': {
    code: `${https}https.request({ ${target}, ${check} }, ${ignore}).on('error', () => {
  https.request({ ${target} }, ${ignore})${send}
}).end('secret');`,
  },
  'an arrow function with an expression, a function in it that throws': {
    code: `${https}https.request({ ${target}, rejectUnauthorized: false, checkServerIdentity: (host, cert) => (() => { if (cert.fingerprint256 !== PIN) throw new Error('wrong certificate'); })() }, ${ignore})${send}`,
  },
  'an async function': {
    code: `${https}https.request({ ${target}, rejectUnauthorized: false, async ${check} }, ${ignore})${send}`,
  },
  'a try around it': {
    code: `${https}https.request({ ${target}, rejectUnauthorized: false, checkServerIdentity(host, cert) { try { throw new Error('wrong certificate'); } finally { console.log('checked'); } } }, ${ignore})${send}`,
  },
};

const axios = "const axios = require('axios');\nconst { pinnedAgent } = require('certpin/https');\n";
const plainAgent = (options: string): string => `new (require('https').Agent)({ ${options} })`;
const post = (url: string, options: string): string => `axios.post('${url}', 'secret', { ${options} })`;
const answer = '.then(() => console.log("sent"), (error) => console.log("refused: " + error.message));';

const block = inlineBlock('https').text;
/** What says of itself that it is a block, with the right digest, and verifies nothing. */
const madeUp = ((lines: string[]): string =>
  `${[lines[0], digestLine(digestOf(lines)), ...lines.slice(1)].join('\n')}\n`)([
  firstLine('https', '9.9.9'),
  `const certpin = { pinnedAgent: () => ${plainAgent('rejectUnauthorized: false')} };`,
  lastLine('https', '9.9.9'),
]);

/** In each of these, the proxy is what leads to the right server. */
const proxied: Record<string, Script> = {
  'an agent that does not verify': {
    code: `${axios}${post('https://localhost:PORT/', `httpsAgent: ${plainAgent('rejectUnauthorized: false')}`)}${answer}`,
  },
  'an agent that verifies no name and no pin': {
    code: `${axios}${post('https://localhost:PORT/', `maxRedirects: 0, httpsAgent: ${plainAgent('rejectUnauthorized: true, checkServerIdentity: () => undefined')}`)}${answer}`,
  },
  'an agent of another file': {
    code: `${axios}const httpsAgent = require('./agent.js');\n${post('https://localhost:PORT/', 'maxRedirects: 0, httpsAgent')}${answer}`,
    files: { 'agent.js': `module.exports = ${plainAgent('rejectUnauthorized: false')};` },
  },
  'an agent under the verification of the process': {
    code: `${axios}${post('https://localhost:PORT/', `maxRedirects: 0, httpsAgent: ${plainAgent('keepAlive: true, minVersion: "TLSv1.2"')}`)}${answer}`,
    env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
  },
  'an instance, whose requests go to http': {
    code: `${axios}const api = axios.create({ baseURL: 'https://localhost:PORT/', maxRedirects: 0, httpsAgent: pinnedAgent({ pins: PIN }) });\napi.post('http://localhost:PORT/', 'secret')${answer}`,
  },
  'a URL that is not https': {
    code: `${axios}${post('http://localhost:PORT/', 'maxRedirects: 0, httpsAgent: pinnedAgent({ pins: PIN })')}${answer}`,
  },
  'a redirect to http': {
    code: `${axios}${post('https://localhost:GENUINE/to-impostor', 'httpsAgent: pinnedAgent({ pins: PIN })')}${answer}`,
  },
  'a base URL that goes before the URL': {
    code: `${axios}${post('https://x/', "baseURL: 'http://localhost:PORT/', allowAbsoluteUrls: false, maxRedirects: 0, httpsAgent: pinnedAgent({ pins: PIN })")}${answer}`,
  },
  'a pinned agent that is changed': {
    code: `${axios}const httpsAgent = pinnedAgent({ pins: PIN });\nhttpsAgent.createConnection = (options, done) => require('tls').connect({ ...options, rejectUnauthorized: false });\n${post('https://localhost:PORT/', 'maxRedirects: 0, httpsAgent')}${answer}`,
  },
  'a block that somebody made up': {
    code: `${madeUp}const axios = require('axios');\n${post('https://localhost:PORT/', 'maxRedirects: 0, httpsAgent: certpin.pinnedAgent({ pins: PIN })')}${answer}`,
  },
  'a pasted block whose function is replaced': {
    code: `${block}const axios = require('axios');\ncertpin.pinnedAgent = () => ${plainAgent('rejectUnauthorized: false')};\n${post('https://localhost:PORT/', 'maxRedirects: 0, httpsAgent: certpin.pinnedAgent({ pins: PIN })')}${answer}`,
  },
  'an interceptor': {
    code: `${axios}axios.interceptors.request.use((config) => ({ ...config, url: 'http://localhost:PORT/' }));\n${post('https://localhost:PORT/', 'maxRedirects: 0, httpsAgent: pinnedAgent({ pins: PIN })')}${answer}`,
  },
};

/** What is shown, and repaired. */
const shown: Record<string, Script> = {
  'axios: one request, https, no redirect, a pinned agent': {
    code: `${axios}${post('https://localhost:PORT/', 'maxRedirects: 0, httpsAgent: pinnedAgent({ pins: PIN })')}${answer}`,
  },
  'axios: the pinned agent in a constant': {
    code: `${axios}const httpsAgent = pinnedAgent({ pins: PIN });\naxios({ url: 'https://localhost:PORT/', method: 'POST', data: 'secret', httpsAgent, maxRedirects: 0 })${answer}`,
  },
};

for (const [name, use] of Object.entries({
  'its member': 'certpin.pinnedAgent({ pins: PIN })',
  'a name of its own': 'pinnedAgent({ pins: PIN })',
}))
  shown[`axios: the agent of a pasted block, by ${name}`] = {
    code: `${block}const axios = require('axios');\nconst { pinnedAgent } = certpin;\n${post('https://localhost:PORT/', `maxRedirects: 0, httpsAgent: ${use}`)}${answer}`,
  };

describe('repairs, before and after, against an impostor', () => {
  let peers: Peers;
  before(async () => {
    peers = await startPeers();
  });
  after(() => peers.stop());

  for (const [index, [name, script]] of Object.entries({ ...throwing, ...proxied }).entries()) {
    it(`--fix leaves alone: ${name}`, index % 3 === 0 ? {} : longOnly, async () => {
      const { output, findings } = lintText(script.code, { fix: true });
      assert.ok(
        findings.some(({ rule }) => repairing.includes(rule)),
        'it is found',
      );
      // Run in any case: what is suggested would weaken, which is why it is not written.
      const suggested = applySuggestions(script.code);
      if (suggested !== script.code) assert.equal(await isWeaker(script, suggested), true, 'the suggestion weakens');
      if (output !== undefined) assert.equal(await isWeaker(script, output), false, 'what --fix wrote weakens');
      assert.equal(output, undefined);
    });
  }

  for (const [name, script] of Object.entries(shown)) {
    it(`--fix repairs: ${name}`, async () => {
      const { output = '' } = lintText(script.code, { fix: true });
      assert.notEqual(output, '');
      assert.equal(await isWeaker(script, output), false);
      assert.equal((await run(script, output)).bytes, 0);
      // Before, the impostor is reached where the proxy leads to it; after, it is not.
      const toImpostor = { ...script, env: { HTTPS_PROXY: peers.impostorProxy } };
      const atImpostor = await run(toImpostor, output);
      assert.equal(atImpostor.bytes, 0);
      assert.match(
        atImpostor.said,
        /^refused: (?:pin mismatch|the presented certificate is none of the pinned ones)/,
        'by the pin, and by nothing else',
      );
    });
  }

  /** More bytes at the impostor, or silence where there was an exception, an error or an answer. */
  async function isWeaker(script: Script, repaired: string): Promise<boolean> {
    const [was, is] = [await run(script, script.code), await run(script, repaired)];
    return is.bytes > was.bytes || (was.isLoud && !is.isLoud);
  }

  async function run(
    { files = {}, env = {} }: Script,
    code: string,
  ): Promise<{ bytes: number; isLoud: boolean; said: string }> {
    const folder = mkdtempSync(join(tmpdir(), 'certpin-repair-'));
    const fillPart = (text: string): string =>
      text
        .replaceAll('PORT', String(peers.impostorPort))
        .replaceAll('GENUINE', String(peers.genuinePort))
        .replaceAll('PIN', `'${peers.pin}'`);
    // A block has words of its own that look like these.
    const fill = (text: string): string => text.split(block).map(fillPart).join(block);
    for (const [name, text] of Object.entries({ ...files, 'script.js': code }))
      writeFileSync(join(folder, name), fill(text));
    writeFileSync(join(folder, 'ca.pem'), peers.ca);
    const earlier = peers.bytes();
    const child = spawn(process.execPath, [join(folder, 'script.js')], {
      env: {
        PATH: process.env.PATH,
        NODE_PATH: modules,
        NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
        NODE_NO_WARNINGS: '1',
        HTTPS_PROXY: peers.proxy,
        HTTP_PROXY: peers.proxy,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
      killSignal: 'SIGKILL',
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    child.stderr.resume();
    const [exit, signal] = (await once(child, 'close')) as [number | null, string | null];
    rmSync(folder, { recursive: true });
    assert.equal(signal, null, 'the script came to an end');
    return { bytes: peers.bytes() - earlier, isLoud: exit !== 0 || said !== '', said };
  }
});

const repairing = rules.filter(({ meta }) => meta.fixable || meta.hasSuggestions).map(({ name }) => name);

it('a repair beside a pasted block leaves the block as it is', () => {
  const script = `function login(email, password, callback) {\n${block.replace(/^(?=.)/gm, '  ')}  require('axios').post('https://x', { email, password }, { maxRedirects: 0, httpsAgent: certpin.pinnedAgent({ pins: configuration.PIN }) }).then(({ data }) => callback(null, data), callback);\n}\n`;
  const { output = '', findings } = lintText(script, { path: 'login.js', fix: true });
  assert.deepEqual(findings, []);
  assert.equal(output, script.replace('httpsAgent: certpin', 'proxy: false, httpsAgent: certpin'));
  assert.deepEqual(
    verifyInline(output).map(({ block }) => block),
    ['unmodified'],
  );
});

it('every rule that repairs or suggests was run here', () => {
  const found = (scripts: Record<string, Script>, kind: 'fix' | 'suggestion'): string[] => {
    const findings = Object.values(scripts).flatMap(({ code }) => lintText(code).findings);
    return [...new Set(findings.filter((finding) => finding[kind] !== undefined).map(({ rule }) => rule))].sort();
  };
  const named = (kind: 'fixable' | 'hasSuggestions'): string[] =>
    rules.flatMap(({ name, meta }) => (meta[kind] ? [name] : [])).sort();
  assert.deepEqual(found(shown, 'fix'), named('fixable'));
  assert.deepEqual(found({ ...throwing, ...proxied }, 'suggestion'), named('hasSuggestions'));
});

function applySuggestions(code: string): string {
  const edits = lintText(code).findings.flatMap(({ suggestion, ...finding }) =>
    suggestion === undefined ? [] : [{ ...finding, fix: suggestion.edit }],
  );
  return applyFixes(code, edits);
}

interface Peers {
  readonly pin: string;
  readonly ca: string;
  readonly impostorPort: number;
  readonly genuinePort: number;
  /** Leads to the genuine server, whatever it is asked for. */
  readonly proxy: string;
  /** Leads to the impostor. */
  readonly impostorProxy: string;
  /** That the impostor was told so far: inside TLS, or in plaintext. */
  readonly bytes: () => number;
  readonly stop: () => void;
}

/** The impostor's certificate is signed by a CA that the scripts trust: only the pin can tell. */
async function startPeers(): Promise<Peers> {
  const ca = await mint({ ca: true, subject: 'CN=ca' });
  const genuine = await mint({ issuer: ca });
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  const listen = async (server: Server): Promise<number> => {
    servers.push(server);
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
    });
    server.listen(0, 'localhost');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  let bytes = 0;
  const impostorPort = await listen(startImpostor(await mint({ issuer: ca }), (count) => (bytes += count)));
  const answers = createHttpServer((request, response) => {
    const headers = request.url === '/to-impostor' ? { location: `http://localhost:${impostorPort}/` } : {};
    request.resume().on('end', () => response.writeHead(request.url === '/to-impostor' ? 307 : 200, headers).end());
  });
  const genuinePort = await listen(
    createServer((socket) => {
      const secure = new TLSSocket(socket, { isServer: true, ...credentials(genuine) });
      secure.on('error', () => undefined);
      answers.emit('connection', secure);
    }),
  );
  const startProxy = async (port: number): Promise<string> => {
    const proxy = createHttpServer((request, response) => request.resume().on('end', () => response.end()));
    proxy.on('connect', (_request, socket: Socket) => {
      const onward = connect(port, 'localhost', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      onward.on('error', () => socket.destroy());
    });
    return `http://localhost:${await listen(proxy)}`;
  };
  return {
    pin: genuine.x509.fingerprint256,
    ca: ca.certPem,
    impostorPort,
    genuinePort,
    proxy: await startProxy(genuinePort),
    impostorProxy: await startProxy(impostorPort),
    bytes: () => bytes,
    stop: () => {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Speaks TLS at once, or after PostgreSQL's request for it, or HTTP in plaintext; counts what it is told, and hangs up. */
function startImpostor(certificate: Minted, count: (bytes: number) => void): Server {
  const hear = (socket: Socket): void => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      count(chunk.length);
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
  };
  return createServer((socket) => {
    const secure = (): void => hear(new TLSSocket(socket, { isServer: true, ...credentials(certificate) }));
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return;
      if (first[0] === 0x00) socket.write('S');
      else socket.unshift(first);
      if (first[0] === 0x00 || first[0] === 0x16) secure();
      else hear(socket);
    });
  });
}
