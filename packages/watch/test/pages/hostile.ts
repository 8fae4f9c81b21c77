import type { TestContext } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { addTransition, makeAddress, makeCertificate, makeStore, NOW } from './fixture.ts';

/** Names that want to be more than names. */
export const attacks: readonly string[] = [
  '<script>window.xss=1</script>',
  '"><img src=x onerror="window.xss=1">',
  "'><svg onload=window.xss=1>",
  '" autofocus onfocus="window.xss=1" x="',
  "' onmouseover='window.xss=1",
  '</title></style></textarea><script>window.xss=1</script>',
  '<!--<base href="https://evil.example/">',
  '&lt;script&gt;window.xss=1&lt;/script&gt;',
  'javascript:window.xss=1',
  '`onfocus=window.xss=1`',
  '<iframe srcdoc="<script>parent.xss=1</script>">',
  '\u202Emoc.elpmaxe.live\u2066\u200B',
  'CN=a\r\nSet-Cookie: a=b\r\n\r\n<script>window.xss=1</script>',
  '\u001B]8;;https://evil.example\u0007link\u001B]8;;\u0007',
  '\uD800<xss>',
];

/** A target of which every text is an attack. */
export async function makeHostile(t: TestContext): Promise<{ readonly store: Store; readonly key: string }> {
  const all = attacks.join(' ');
  const certificate = makeCertificate({
    subject: `presented by the server: ${all}`,
    issuer: all,
    names: [...attacks],
    validTo: NOW + 86_400_000,
  });
  const key = attacks[1] as string;
  const store = await makeStore(t, [
    {
      ...{ key, label: key, id: all, servername: all, note: all, state: 'drift', pins: [all] },
      seen: {
        ...{ reason: all, protocol: all, observed: 'refused', remarks: ['same-key'] },
        addresses: [makeAddress({ address: all, reason: all, certificate, pin: all, state: 'drift' })],
      },
    },
    { label: all, seen: { addresses: [makeAddress({ certificate })] } },
  ]);
  for (const kind of ['changed', 'unmuted', 'remarked', 'file-unreadable'] as const)
    await addTransition(store, {
      kind,
      key,
      label: all,
      servername: all,
      reason: all,
      targetId: all,
      mutedBy: 'person',
    });
  await store.setMute({ key: all, until: NOW + 1000, reason: all, since: NOW });
  await store.recordWatcher({ fileError: all, pinsFile: all, version: all });
  await store.enqueue([{ receiver: all, number: 1, kind: 'transition' }], NOW);
  const message = await store.claimMessage({ receiver: all, now: NOW, leaseUntil: NOW + 1, max: 1, ripeAt: NOW + 1 });
  if (message !== undefined) await store.markFailed(message.id, { at: NOW, dueAt: NOW + 1, error: all });
  return { store, key };
}
