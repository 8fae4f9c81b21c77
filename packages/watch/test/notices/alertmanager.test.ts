import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { certificateHex, type Minted, mint } from '@certpin/testkit';
import { type Alertmanager, type ShownAlert, startAlertmanager } from '@certpin/testkit/alertmanager';
import { createReceivers } from '../../src/notices/create-receivers.ts';
import type { Outcome, Receiver, Trouble } from '../../src/notices/receiver.ts';
import type { StoredTransition } from '../../src/types.ts';
import { HOSTILE, message, ofTest, secrets, transition } from './support.ts';

const limit = (): AbortSignal => AbortSignal.timeout(10_000);

describe("Debian's Alertmanager, pinned", () => {
  let certificate: Minted;
  let server: Alertmanager;
  let receiver: Receiver;
  before(async () => {
    certificate = await mint();
    server = await startAlertmanager(certificate);
    const settings = {
      name: 'alerts',
      kind: 'alertmanager',
      url: `${server.url}/`,
      pins: [certificateHex(certificate)],
    } as const;
    const [made] = await createReceivers([settings], { source: 'urn:certpin:watch:host', readSecret: secrets({}) });
    receiver = made as Receiver;
  });
  after(() => server?.stop());

  const tell = (...transitions: Partial<StoredTransition>[]): Promise<Outcome> => {
    const made = transitions.map((one) => transition({ at: Date.now() - 1_000, ...one }));
    return receiver.deliver(message(made), 'whole', limit());
  };
  const about = async (target: string): Promise<readonly ShownAlert[]> =>
    (await server.alerts()).filter(({ labels }) => labels.target === target);
  const delivered = ({ result, detail }: Outcome): void => assert.equal(result, 'delivered', detail);

  it('shows a trouble, and no more when it has ended', async () => {
    delivered(await tell({ label: 'a:1', targetId: 'one' }));
    const [alert] = await about('a:1');
    assert.equal(alert?.status.state, 'active');
    const { alertname, severity, state, target_id } = alert?.labels ?? {};
    assert.deepEqual(
      [alertname, severity, state, target_id],
      ['CertificateNotThePinnedOne', 'critical', 'drift', 'one'],
    );
    assert.deepEqual(alert?.annotations, {
      summary: 'a:1: drift',
      description: 'the presented certificate is none of the pinned ones',
    });
    delivered(await tell({ label: 'a:1', targetId: 'one', from: 'drift', to: 'holds' }));
    assert.deepEqual(await about('a:1'), []);
  });

  it('takes a trouble that has come and gone within one message', async () => {
    const begin = { label: 'i:1', at: Date.now() - 60_000 } as const;
    delivered(await tell(begin, { label: 'i:1', from: 'drift', to: 'holds' }));
    assert.deepEqual(await about('i:1'), []);
  });

  it('shows one trouble in the place of another', async () => {
    delivered(await tell({ label: 'b:1', to: 'ends-soon' }));
    delivered(await tell({ label: 'b:1', from: 'ends-soon', to: 'expired' }));
    assert.deepEqual(
      (await about('b:1')).map(({ labels }) => labels.state),
      ['expired'],
    );
  });

  it('a message that is sent twice changes nothing', async () => {
    const one = message([transition({ label: 'c:1', at: Date.now() - 1_000 })]);
    for (let count = 0; count < 3; count++) delivered(await receiver.deliver(one, 'whole', limit()));
    assert.equal((await about('c:1')).length, 1);
  });

  it('knows nothing after a restart, and is told again what is still true', async () => {
    delivered(await tell({ label: 'd:1' }));
    await server.restart();
    assert.deepEqual(await server.alerts(), []);
    const trouble: Trouble = {
      ...{ key: 'd:1', label: 'd:1', targetId: null, servername: null },
      ...{ state: 'drift', since: Date.now() - 60_000, reason: '' },
    };
    const repeat = (troubles: readonly Trouble[]) => {
      const own = [{ kind: 'network-lost' as const, since: Date.now() - 5_000, reason: '' }];
      return receiver.repeat?.({ own, troubles: each(troubles) }, limit());
    };
    delivered((await repeat([trouble])) as Outcome);
    assert.equal((await about('d:1')).length, 1);
    assert.deepEqual((await server.alerts()).map(({ labels }) => labels.alertname).sort(), [
      'CertificateNotThePinnedOne',
      'CertpinWatchReachesNobody',
    ]);
    // What is told again is the same alert that the transition ends.
    delivered(await tell({ label: 'd:1', from: 'drift', to: 'holds' }));
    delivered(await tell({ key: null, label: null, kind: 'network-back', from: null, to: null }));
    assert.deepEqual(await server.alerts(), []);
    const many = Array.from({ length: 1_234 }, (_, index) => ({ ...trouble, key: `m${index}`, label: `m${index}:1` }));
    delivered((await repeat(many)) as Outcome);
    assert.equal((await server.alerts()).length, 1_235);
  });

  it('takes the short form, and the test notice', async () => {
    delivered(
      await receiver.deliver(message([transition({ label: 'e:1', at: Date.now() - 1_000 })]), 'short', limit()),
    );
    delivered(await receiver.deliver(ofTest(), 'whole', limit()));
    const shown = await server.alerts();
    assert.deepEqual(shown.find(({ labels }) => labels.target === 'e:1')?.annotations, {});
    assert.ok(shown.some(({ labels }) => labels.alertname === 'CertpinTest'));
  });

  for (const text of HOSTILE) {
    it(`takes what a hostile certificate says, as text: ${JSON.stringify(text.slice(0, 30))}`, async () => {
      const before = (await server.alerts()).length;
      delivered(await tell({ label: `h${HOSTILE.indexOf(text)}:1`, reason: text }));
      const shown = await server.alerts();
      assert.equal(shown.length, before + 1);
      const [alert] = await about(`h${HOSTILE.indexOf(text)}:1`);
      assert.deepEqual(Object.keys(alert?.labels ?? {}).sort(), ['alertname', 'severity', 'state', 'target']);
      assert.doesNotMatch(alert?.annotations.description ?? '', /\p{Cc}/u);
    });
  }

  it('gets not a byte where another server answers', async (test) => {
    const impostor = await startAlertmanager(await mint());
    test.after(() => impostor.stop());
    const settings = {
      name: 'alerts',
      kind: 'alertmanager',
      url: impostor.url,
      pins: [certificateHex(certificate)],
    } as const;
    const [wrong] = await createReceivers([settings], { source: 'x', readSecret: secrets({}) });
    const outcome = await (wrong as Receiver).deliver(message([transition()]), 'whole', limit());
    assert.equal(outcome.result, 'failed');
    assert.match(outcome.detail, /pin mismatch/);
    assert.deepEqual(await impostor.alerts(), []);
  });
});

async function* each<Item>(items: readonly Item[]): AsyncIterable<Item> {
  yield* items;
}
