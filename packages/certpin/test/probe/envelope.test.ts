import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { TlsOptions } from 'node:tls';
import { certificateHex, mint, startScriptedServer, startUpgradeServer } from '@certpin/testkit';
import { asTdsServer, type TdsPackets } from '@certpin/testkit/tds';
import { probe } from '../../src/probe/index.ts';
import { binaryTranscripts } from '../protocols/transcripts.ts';

const { server, client } = binaryTranscripts.mssql;
const certificate = await mint({ keyType: 'rsa' });

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
      const enclose = (socket: Socket) => asTdsServer(socket, packets);
      const genuine = await startUpgradeServer(own, { server, client, clientOpens: true, enclose }, tls);
      t.after(genuine.close);
      const gone = once(genuine.server, 'secureConnection').then(([socket]) => once(socket, 'close'));
      const report = await probe(`mssql://127.0.0.1:${genuine.port}`);
      assert.ok(report.ok, JSON.stringify(report));
      assert.equal(report.certificate.sha256, certificateHex(own));
      await gone;
      assert.equal(genuine.received(), 0);
    });
  }

  const liars: [string, (socket: Socket) => void, string][] = [
    ['TLS without its packets is refused', (socket) => socket.write(hex('160303004a')), 'ERR_UPGRADE_UNEXPECTED'],
    [
      'a server that hangs up in the middle of a packet is an error',
      (socket) => socket.end(hex('1201010000000100 1603')),
      'ECONNRESET',
    ],
  ];
  for (const [title, afterHello, code] of liars) {
    test(title, async (t) => {
      const liar = await startScriptedServer((socket) => {
        socket.once('data', () => {
          socket.write(server.join(''), 'latin1');
          socket.once('data', () => afterHello(socket));
        });
      });
      t.after(liar.close);
      const report = await probe(`mssql://127.0.0.1:${liar.port}`);
      assert.ok(!report.ok);
      assert.equal(report.error.code, code, report.error.message);
    });
  }
});

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}
