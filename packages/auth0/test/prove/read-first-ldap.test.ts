// Who stands in the way of a script hears what the script says. What never ends is heard to a limit, and not kept in memory for ever.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { readFirstLdap } from '../../src/prove/read-first-ldap.ts';

async function pair(t: TestContext): Promise<{ readonly heard: Socket; readonly speaker: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const speaker = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [heard] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    for (const socket of [heard, speaker]) socket.destroy();
    server.close();
  });
  for (const socket of [heard, speaker]) socket.on('error', () => undefined);
  return { heard, speaker };
}

const first = (socket: Socket) => new Promise((done) => readFirstLdap(socket, done));

test('a message that never ends is given up at 64 KiB, and what was heard stays in the socket', async (t) => {
  const { heard, speaker } = await pair(t);
  // A sequence of two gigabytes, of which one megabyte comes.
  speaker.end(Buffer.concat([Buffer.from('30847fffffff020101', 'hex'), Buffer.alloc(1_048_576, 0x04)]));
  assert.equal(await first(heard), undefined);
  const kept = heard.read() as Buffer;
  // The limit, and what a socket has in store beyond it.
  assert.ok(kept.length > 65_536 && kept.length <= 5 * 65_536, String(kept.length));
  assert.equal(kept.subarray(0, 6).toString('hex'), '30847fffffff');
  assert.equal(heard.listenerCount('readable'), 0);
});

test('a message in single bytes is one, and the end of the connection ends the wait', async (t) => {
  const { heard, speaker } = await pair(t);
  const bind = Buffer.from('300c020101600702010304008000', 'hex');
  for (const byte of bind) speaker.write(Uint8Array.of(byte));
  speaker.write('behind');
  const message = (await first(heard)) as { bytes: Buffer };
  assert.deepEqual(message.bytes, bind);
  const cut = await pair(t);
  cut.speaker.end(bind.subarray(0, 5));
  assert.equal(await first(cut.heard), undefined);
});
