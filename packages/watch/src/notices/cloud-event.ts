import type { Message, StoredTransition } from '../types.ts';
import { clean } from './clean.ts';
import { itemsOf } from './items.ts';
import type { Form } from './receiver.ts';

/** The media type of an event that is only in the body (CloudEvents JSON format, §3). */
export const CLOUD_EVENT_TYPE = 'application/cloudevents+json; charset=utf-8';

const types = { transition: 'certpin.watch.changed', reminder: 'certpin.watch.reminder', test: 'certpin.watch.test' };

/**
 * A message as a CloudEvent 1.0. At every attempt, the same message gives the same text: it contains nothing of the attempt.
 *
 * @param source which watcher it is, as a URI reference
 */
export function toCloudEvent(message: Message, source: string, form: Form): string {
  const { id, kind, createdAt, transitions } = message;
  const labels = new Set(transitions.map(({ label }) => label));
  const [label] = labels;
  const isAboutOne = form === 'whole' && labels.size === 1 && typeof label === 'string' && label !== '';
  const event = {
    specversion: '1.0',
    id,
    source,
    type: types[kind],
    time: new Date(createdAt).toISOString(),
    // CloudEvents 1.0, "subject": a string that is not empty, or no attribute.
    ...(isAboutOne ? { subject: clean(label) } : {}),
    datacontenttype: 'application/json',
    data: {
      counts: countWords(message),
      ...(form === 'short' ? { omitted: transitions.length, changes: [] } : { changes: transitions.map(toChange) }),
    },
  };
  return JSON.stringify(event);
}

/** By the last state of each target, and the worst one before it. */
function countWords(message: Message): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  if (message.kind === 'test') return counts;
  for (const { word } of itemsOf(message)) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function toChange(transition: StoredTransition): object {
  const { number, id, kind, label, targetId, servername, from, to, remark, reason, at, endsAt, addresses } = transition;
  return {
    number,
    id,
    kind,
    target: cleaned(label),
    targetId: cleaned(targetId),
    servername: cleaned(servername),
    from,
    to,
    remark,
    at: new Date(at).toISOString(),
    reason: clean(reason),
    endsAt: endsAt === null ? null : new Date(endsAt).toISOString(),
    addresses: addresses.map(({ address, state, certificate }) => {
      return { address, state, sha256: certificate?.sha256 ?? null };
    }),
  };
}

function cleaned(text: string | null): string | null {
  return text === null ? null : clean(text);
}
