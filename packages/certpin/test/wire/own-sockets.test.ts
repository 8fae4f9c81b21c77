import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { findOwn, unwatchPort, watchPort } from '../../src/wire/own-sockets.ts';

/** A port of an end that lets nobody in by itself, and a socket of this process that is connected to it. */
async function meet(t: TestContext, connectTo = (port: number): Socket => connect(port, '127.0.0.1')) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  watchPort(port);
  t.after(() => {
    unwatchPort(port);
    server.close();
  });
  const own = connectTo(port);
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(own, 'connect')]);
  t.after(() => {
    own.destroy();
    accepted.destroy();
  });
  return { own, accepted: accepted as Socket, port };
}

/** What an end finds behind a caller with these addresses. */
const found = (caller: object) => new Promise((resolve) => findOwn({ destroyed: false, ...caller } as Socket, resolve));

test('a socket of this process is known by both of its addresses, and once', async (t) => {
  const { own, accepted, port } = await meet(t);
  const { remoteAddress, remotePort = 0 } = accepted;
  const caller = { remoteAddress, remotePort, localPort: port };
  assert.equal(await found({ ...caller, remotePort: remotePort - 1 }), undefined);
  assert.equal(await found({ ...caller, localPort: port - 1 }), undefined);
  assert.equal(await found({ ...caller, remoteAddress: '127.0.0.2' }), undefined);
  assert.equal(await found({ ...caller, remoteAddress: undefined }), undefined);
  assert.equal(await found(caller), own);
  assert.equal(await found(caller), undefined);
});

test('a socket that has gone is nobody’s any longer, though others may have its port', async (t) => {
  const { own, accepted, port } = await meet(t);
  const { remoteAddress, remotePort } = accepted;
  own.destroy();
  assert.equal(await found({ remoteAddress, remotePort, localPort: port }), undefined);
});

test('a socket is not looked for when no end has its port', async (t) => {
  const { accepted, port } = await meet(t);
  const { remoteAddress, remotePort } = accepted;
  unwatchPort(port);
  watchPort(port);
  assert.equal(await found({ remoteAddress, remotePort, localPort: port }), undefined);
});

test('sockets to other places are forgotten, and those that nobody holds are not kept', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { own, accepted, port } = await meet(t);
  const others = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  t.after(() => others.close());
  await once(others, 'listening');
  const held: WeakRef<Socket>[] = [];
  // More than are announced before the first sweep.
  for (let index = 0; index < 200; index++) {
    const socket = connect((others.address() as AddressInfo).port, '127.0.0.1');
    held.push(new WeakRef(socket));
    await new Promise((resolve) => socket.once('close', resolve).end());
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  collect();
  assert.ok(held.filter((reference) => reference.deref() !== undefined).length < 20);
  const { remoteAddress, remotePort } = accepted;
  assert.equal(await found({ remoteAddress, remotePort, localPort: port }), own);
});

test('a socket that is looked for while it connects is found later, with its addresses', async (t) => {
  const { own, accepted, port } = await meet(t, (number) => {
    const socket = connect(number, '127.0.0.1');
    void found({ remoteAddress: '127.0.0.1', remotePort: 1, localPort: number });
    return socket;
  });
  const { remoteAddress, remotePort } = accepted;
  assert.equal(await found({ remoteAddress, remotePort, localPort: port }), own);
  assert.deepEqual([own.localPort, own.remotePort], [remotePort, port]);
});
