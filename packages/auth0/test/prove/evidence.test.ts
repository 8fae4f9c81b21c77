import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Evidence } from '../../src/prove/evidence.ts';
import { Relay } from '../../src/prove/relay.ts';

const now = (): number => Number(process.hrtime.bigint());

describe('an exception that nobody caught', () => {
  it('was thrown before the bytes, though it is heard of after them', () => {
    const evidence = new Evidence([]);
    const thrownAt = now();
    evidence.count(Buffer.from('hunter2'));
    evidence.seeException(thrownAt);
    assert.equal(evidence.sum().threwBefore, true);
  });

  it('was thrown after the first of them', () => {
    const evidence = new Evidence([]);
    evidence.countSealed(7);
    const thrownAt = now();
    evidence.countSealed(7);
    evidence.seeException(thrownAt);
    assert.equal(evidence.sum().threwBefore, false);
  });

  it('where nothing arrived', () => {
    const evidence = new Evidence([]);
    evidence.countSealed(0);
    evidence.seeException(now());
    assert.equal(evidence.sum().threwBefore, true);
  });
});

describe('a connection', () => {
  it('that comes when nothing is waited for any more: nobody knows what it would have said', () => {
    const evidence = new Evidence([]);
    evidence.close();
    evidence.arrive(new EventEmitter());
    assert.deepEqual([evidence.sum().connections, evidence.sum().undecided], [1, 1]);
  });

  it('that has come and gone is decided', () => {
    const evidence = new Evidence([]);
    const socket = new EventEmitter();
    evidence.arrive(socket);
    socket.emit('close');
    evidence.close();
    assert.deepEqual([evidence.sum().connections, evidence.sum().undecided], [1, 0]);
  });

  it('that was told of is waited for, and so is its end', async (t) => {
    const relay = await Relay.open();
    t.after(() => relay.close());
    let received = '';
    relay.receive = (socket) =>
      void socket.on('data', (chunk: Buffer) => {
        received += chunk;
      });
    relay.expect();
    const drained = relay.drain();
    await setTimeout(50);
    connect(relay.port, '127.0.0.1').end('hunter2');
    await drained;
    assert.equal(received, 'hunter2');
  });
});
