import type { TestContext } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { addTransition, DAY, hash, type Made, makeAddress, makeCertificate, makeStore, NOW } from './fixture.ts';

/** One target in each state, as people have them. */
export async function makeSample(t: TestContext, now: number = NOW): Promise<Store> {
  const ends = (days: number, lifetime = 365) =>
    makeCertificate({ validFrom: now + (days - lifetime) * DAY, validTo: now + days * DAY });
  const [old, next] = [hash(), hash()];
  const targets: Made[] = [
    {
      ...{
        label: 'db.example.com:5432',
        id: 'customers',
        note: 'rotated by the database team, #db-ops',
        state: 'drift',
      },
      days: Array.from({ length: 60 }, (_, day) => (day === 40 ? 'unreachable' : 'holds')),
      seen: {
        reason: 'none of the 2 pins is that of the presented certificate',
        addresses: [
          makeAddress({ state: 'drift', pin: null, reason: 'none of the 2 pins is that of the presented certificate' }),
        ],
      },
    },
    {
      label: 'ldap.example.com:636',
      state: 'revoked',
      seen: { reason: 'its pin is revoked since 2027-03-01: lost laptop' },
    },
    {
      ...{ label: 'mysql://shop.example.com', state: 'ends-soon', pins: [old] },
      seen: {
        ...{ reason: 'it ends in 9 days, on 2027-03-24', remarks: ['no-backup-pin'] },
        addresses: [makeAddress({ state: 'ends-soon', pin: old, certificate: ends(9, 90) })],
      },
    },
    {
      label: 'smtp://mail.example.com:587',
      state: 'unreachable',
      seen: { addresses: [], reason: 'connect ECONNREFUSED 192.0.2.25:587' },
    },
    {
      ...{ label: 'https://api.example.com', servername: 'api.internal', state: 'mixed', pins: [old, next] },
      seen: {
        reason: 'its addresses present 2 pinned certificates',
        addresses: [
          makeAddress({ address: '192.0.2.31', pin: old, certificate: ends(20) }),
          makeAddress({ address: '2001:db8::31', pin: next, certificate: ends(380) }),
        ],
      },
    },
    {
      label: 'redis.example.com:6379',
      state: 'expired',
      seen: { reason: 'it ended 3 days ago', addresses: [makeAddress({ certificate: ends(-3) })] },
    },
    {
      label: 'gone.example.com:443',
      state: 'no-such-name',
      seen: { addresses: [], reason: 'the name server does not know gone.example.com' },
    },
    ...Array.from({ length: 24 }, (_, index): Made => {
      const certificate = ends(15 + index * 17);
      return {
        label: `app-${String(index + 1).padStart(2, '0')}.example.com:443`,
        seen: { reason: `${15 + index * 17} days left`, addresses: [makeAddress({ certificate })] },
      };
    }),
  ];
  const store = await makeStore(t, targets, now);
  const key = 'db.example.com:5432';
  const known = { key, label: key };
  await addTransition(store, { ...known, at: now - 90 * DAY, from: null, to: 'holds', reason: '300 days left' });
  await addTransition(store, {
    ...known,
    at: now - 40 * DAY,
    from: 'holds',
    to: 'unreachable',
    reason: 'connect ETIMEDOUT',
  });
  await addTransition(store, {
    ...known,
    at: now - 39.9 * DAY,
    from: 'unreachable',
    to: 'holds',
    reason: '250 days left',
  });
  await addTransition(store, { at: now - 20 * DAY, kind: 'network-lost', from: null, to: null });
  await addTransition(store, { at: now - 19.99 * DAY, kind: 'network-back', from: null, to: null });
  await addTransition(store, {
    ...known,
    at: now - 0.1 * DAY,
    from: 'holds',
    to: 'drift',
    reason: 'none of the 2 pins is that of the presented certificate',
  });
  await store.setMute({
    key: 'gone.example.com:443',
    until: now + 5 * DAY,
    reason: 'moves next week',
    since: now - DAY,
  });
  return store;
}
