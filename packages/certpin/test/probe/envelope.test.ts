import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { certificateHex, credentials, type Minted, mint } from '@certpin/testkit';
import type { Certificate } from '../../src/core/certificate.ts';
import type { Peer } from '../../src/index.ts';
import { enclose } from '../../src/probe/envelope.ts';
import { dial } from '../../src/protocols/dial.ts';
import { type UpgradeName, upgradeProtocols } from '../../src/protocols/registry.ts';
import { observe } from '../../src/tls/guard.ts';
import { asTdsServer, type TdsPackets } from './tds-server.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** What each side says before TLS; a number is so many bytes of the client's. */
const scripts: Record<'ldap' | 'mssql' | 'vnc' | 'rdp', readonly (number | Buffer)[]> = {
  ldap: [31, hex('300c 020101 7807 0a0100 0400 0400')],
  mssql: [47, hex('0401001a00000100 00000b0006 0100110001 ff 100000000000 01')],
  vnc: [
    Buffer.from('RFB 003.008\n'),
    ...[12, hex('02 02 13')],
    ...[1, hex('0002')],
    ...[2, hex('00 02 00000102 00000104')],
    ...[4, hex('01')],
  ],
  rdp: [19, hex('03000013 0ed00000123400 02000800 02000000')],
};

interface UpgradingServerOptions extends TlsOptions {
  readonly certificate: Minted;
  readonly script: readonly (number | Buffer)[];
  /** How TLS begins, where it does not on the wire itself. */
  readonly enclosed?: (socket: Socket) => Duplex;
}

/** A server that speaks plaintext by a script, then TLS; it counts what it is told through TLS. */
async function startUpgradingServer(t: TestContext, { certificate, script, enclosed, ...tls }: UpgradingServerOptions) {
  let received = 0;
  let handshakes = 0;
  const secure = createTlsServer({ ...credentials(certificate), ...tls }, (socket) => {
    handshakes++;
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        received += chunk.length;
      });
  }).on('tlsClientError', () => undefined);
  const sockets = new Set<Socket>();
  const server = createServer(async (socket) => {
    sockets.add(socket.setNoDelay().on('error', () => undefined));
    for (const step of script) {
      if (typeof step !== 'number') {
        socket.write(step);
        continue;
      }
      while (socket.readableLength < step) await once(socket, 'readable');
      assert.equal((socket.read(step) as Buffer).length, step);
    }
    secure.emit('connection', enclosed === undefined ? socket : enclosed(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    handshakes: () => handshakes,
    /** Once every client has gone. */
    gone: () => Promise.all([...sockets].filter((socket) => !socket.closed).map((socket) => once(socket, 'close'))),
  };
}

/** What the probe does with a target of this protocol. */
function ask(name: UpgradeName, port: number): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const upgrade = upgradeProtocols[name].create('localhost');
    const raw = dial({ host: '127.0.0.1', port }, upgrade, (error) => {
      if (error !== undefined) return reject(error);
      const socket = enclose(raw, upgrade.envelope);
      const options = { socket, ca: [], servername: 'localhost' };
      observe({ options, host: 'localhost', port, connectTimeoutMs: 0 }).then(resolve, reject);
    });
  });
}

const hashes = ({ certificates }: Peer): string[] =>
  certificates.map((presented) => (presented as Certificate).toJSON().sha256);

const certificate = await mint({ keyType: 'rsa' });

describe('a round with a scripted server: plaintext, then TLS', () => {
  for (const [name, script] of Object.entries(scripts) as [UpgradeName, readonly (number | Buffer)[]][]) {
    test(name, async (t) => {
      const enclosed = name === 'mssql' ? (socket: Socket) => asTdsServer(socket, { contents: [4088] }) : undefined;
      const server = await startUpgradingServer(t, { certificate, script, ...(enclosed && { enclosed }) });
      assert.deepEqual(hashes(await ask(name, server.port)), [certificateHex(certificate)]);
      await server.gone();
      assert.equal(server.received(), 0);
    });

    test(`${name}, with a byte behind the consent`, async (t) => {
      const injecting = [...script.slice(0, -1), Buffer.concat([script.at(-1) as Buffer, Buffer.of(0x16)])];
      const server = await startUpgradingServer(t, { certificate, script: injecting });
      await assert.rejects(ask(name, server.port), { code: 'ERR_UPGRADE_INJECTED' });
      await server.gone();
      assert.equal(server.handshakes(), 0);
    });
  }
});

describe('TLS in packets of TDS', () => {
  /** A server whose certificates fill several packets of the largest size. */
  const large = mint({
    keyType: 'rsa',
    names: Array.from({ length: 1500 }, (_, index) => `host-${index}.a-rather-long-domain.example`),
  });
  const cases: [string, TdsPackets, TlsOptions?][] = [
    ['each of one byte', { contents: [1] }],
    ['each of a byte or seven', { contents: [1, 7, 1, 7, 1, 7, 500] }],
    ['that cut the header of a record', { contents: [3, 5, 4000] }],
    ['of the largest size', { contents: [32_759] }],
    ['of the type of an answer', { contents: [4088], type: 0x04 }],
    ['of the largest size, in pieces of 1000 bytes', { contents: [32_759], pieces: 1000 }],
    ['in pieces of seven bytes', { contents: [2000], pieces: 7 }],
    ['of TLS 1.2', { contents: [32_759] }, { maxVersion: 'TLSv1.2' }],
    ['of TLS 1.3', { contents: [32_759] }, { minVersion: 'TLSv1.3' }],
  ];
  for (const [title, packets, tls] of cases) {
    test(title, async (t) => {
      const own = packets.contents[0] === 32_759 ? await large : certificate;
      const enclosed = (socket: Socket) => asTdsServer(socket, packets);
      const server = await startUpgradingServer(t, { certificate: own, script: scripts.mssql, enclosed, ...tls });
      assert.deepEqual(hashes(await ask('mssql', server.port)), [certificateHex(own)]);
      await server.gone();
      assert.equal(server.received(), 0);
    });
  }

  test('TLS without its packets is refused', async (t) => {
    const server = await startUpgradingServer(t, { certificate, script: [...scripts.mssql, 100, hex('160303004a')] });
    await assert.rejects(ask('mssql', server.port), { code: 'ERR_UPGRADE_UNEXPECTED' });
    await server.gone();
  });

  test('a server that hangs up in the middle of a packet is an error', async (t) => {
    const enclosed = (socket: Socket) => {
      socket.once('data', () => socket.end(hex('1201010000000100 1603')));
      return socket;
    };
    const server = await startUpgradingServer(t, { certificate, script: scripts.mssql, enclosed });
    await assert.rejects(ask('mssql', server.port), { code: 'ECONNRESET' });
    await server.gone();
  });
});
