import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { certificateHex, mint, startScriptedServer, startUpgradeServer } from '@certpin/testkit';
import { asTdsServer } from '@certpin/testkit/tds';
import { type ProbeReport, probe } from '../../src/probe/index.ts';
import { upgradeProtocols } from '../../src/protocols/registry.ts';
import { type BinaryProtocol, binaryTranscripts, type TextProtocol, transcripts } from '../protocols/transcripts.ts';

const certificate = await mint({ names: ['im.example.com'] });
const conversations = { ...transcripts, ...binaryTranscripts };

for (const name of Object.keys(conversations) as (TextProtocol | BinaryProtocol)[]) {
  const { server, client, refusals } = conversations[name];
  const clientOpens = upgradeProtocols[name].create('im.example.com').opening !== undefined;
  const consent = server.at(-1) ?? '';

  const ask = (port: number, timeoutMs = 10_000): Promise<ProbeReport> =>
    probe(`${name}://127.0.0.1:${port}`, { servername: 'im.example.com', timeoutMs });

  /** A server that says these words, each after the client's, and at the last ones does what `end` does. */
  const startLiar = async (t: TestContext, words: readonly string[], end: (socket: Socket) => void) => {
    const liar = await startScriptedServer((socket) => {
      const left = [...words];
      const speak = (): void => {
        socket.write(left.shift() ?? '', 'latin1');
        if (left.length === 0) end(socket);
      };
      socket.on('data', () => left.length > 0 && speak());
      if (!clientOpens) speak();
    });
    t.after(liar.close);
    return liar;
  };

  describe(`${name}://`, () => {
    for (const packetBytes of [65_536, 1]) {
      it(`the certificate is found, with ${packetBytes === 1 ? 'bytes' : 'turns'} for packets`, async (t) => {
        const enclose = name === 'mssql' ? (socket: Socket) => asTdsServer(socket, { contents: [4088] }) : undefined;
        const genuine = await startUpgradeServer(certificate, { server, client, clientOpens, packetBytes, enclose });
        t.after(genuine.close);
        const gone = once(genuine.server, 'secureConnection').then(([socket]) => once(socket, 'close'));
        const report = await ask(genuine.port);
        assert.ok(report.ok, JSON.stringify(report));
        assert.deepEqual([report.protocol, report.certificate.sha256], [name, certificateHex(certificate)]);
        await gone;
        assert.equal(genuine.handshakes(), 1);
        assert.deepEqual(genuine.servernames, ['im.example.com']);
        assert.equal(genuine.received(), 0);
      });
    }

    const [turns, refusal, meaning] = refusals.at(-1) ?? [0, '', /^$/];
    const hangUp = (socket: Socket): void => void socket.end();
    const stall = (): void => undefined;
    const lies: [
      what: string,
      words: readonly string[],
      end: (socket: Socket) => void,
      code: string,
      message: RegExp,
    ][] = [
      ['injects', [...server.slice(0, -1), `${consent}\x16`], stall, 'ERR_UPGRADE_INJECTED', /injected/],
      ['refuses', [...server.slice(0, turns), refusal], stall, 'ERR_UPGRADE_REFUSED', meaning],
      ['hangs up', [...server.slice(0, -1), consent.slice(0, -1)], hangUp, 'ERR_CONNECTION_CLOSED', /closed/],
      ['stalls', [...server.slice(0, -1), consent.slice(0, -1)], stall, 'ERR_CONNECT_TIMEOUT', /within 200 ms/],
    ];
    for (const [what, words, end, code, message] of lies) {
      it(`a server that ${what} hears nothing of TLS, and the error says so`, async (t) => {
        const liar = await startLiar(t, words, end);
        const report = await ask(liar.port, what === 'stalls' ? 200 : undefined);
        assert.ok(!report.ok);
        assert.equal(report.error.code, code, report.error.message);
        assert.match(report.error.message, message);
        const said = liar.received().toString('latin1');
        assert.ok(client.join('').startsWith(said), said);
      });
    }
  });
}
