import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { certificateHex, type Minted, mint, startScriptedServer, startUpgradeServer } from '@certpin/testkit';
import type { Certificate } from '../../src/index.ts';
import { dial } from '../../src/protocols/dial.ts';
import { upgradeProtocols } from '../../src/protocols/registry.ts';
import { observe } from '../../src/tls/guard.ts';
import { type TextProtocol, transcripts } from './transcripts.ts';

/** Asks a server for its certificate, as the probe does. */
function askFor(name: TextProtocol, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const host = '127.0.0.1';
    const raw = dial({ host, port }, upgradeProtocols[name].create('im.example.com'), (error) => {
      if (error !== undefined) return reject(error);
      observe({ options: { socket: raw, ca: [], servername: 'im.example.com' }, host, port, connectTimeoutMs: 0 }).then(
        ({ certificates }) => resolve((certificates[0] as Certificate).toJSON().sha256),
        reject,
      );
    });
  });
}

describe('over a socket', () => {
  let certificate: Minted;
  before(async () => {
    certificate = await mint({ names: ['im.example.com'] });
  });

  for (const name of Object.keys(transcripts) as TextProtocol[]) {
    const { server, client } = transcripts[name];
    const clientOpens = upgradeProtocols[name].create('im.example.com').opening !== undefined;

    for (const packetBytes of [65_536, 1]) {
      it(`${name} ends in a handshake, with ${packetBytes === 1 ? 'bytes' : 'turns'} for packets`, async () => {
        const genuine = await startUpgradeServer(certificate, { server, client, clientOpens, packetBytes });
        after(genuine.close);
        const handshake = once(genuine.server, 'secureConnection');
        assert.equal(await askFor(name, genuine.port), certificateHex(certificate));
        await handshake;
        assert.equal(genuine.handshakes(), 1);
        assert.deepEqual(genuine.servernames, ['im.example.com']);
        assert.equal(genuine.received(), 0);
      });
    }

    it(`${name} says nothing more to a server that injects, refuses or hangs up`, async () => {
      const consent = server.at(-1) ?? '';
      const [turns, refusal] = transcripts[name].refusals.at(-1) ?? [0, ''];
      for (const [words, code] of [
        [[...server.slice(0, -1), `${consent}\x16\x03\x03`], 'ERR_UPGRADE_INJECTED'],
        [[...server.slice(0, turns), refusal], 'ERR_UPGRADE_REFUSED'],
        [[...server.slice(0, -1), consent.slice(0, -1)], 'ERR_CONNECTION_CLOSED'],
      ] as const) {
        const liar = await startScriptedServer((socket) => {
          const left = [...words];
          const speak = () =>
            void (left.length > 1
              ? socket.write(left.shift() ?? '', 'latin1')
              : socket.end(left.shift() ?? '', 'latin1'));
          socket.on('data', speak);
          if (!clientOpens) speak();
        });
        after(liar.close);
        await assert.rejects(askFor(name, liar.port), { code });
        const said = liar.received().toString('latin1');
        assert.ok(client.join('').startsWith(said), said);
      }
    });
  }
});
