import { CLOUD_EVENT_TYPE, toCloudEvent } from '../cloud-event.ts';
import { type Place, post } from '../post.ts';
import type { Receiver } from '../receiver.ts';
import { type SigningKey, sign } from '../signature.ts';

export interface WebhookOptions {
  readonly name: string;
  /** All three are read for each attempt, so that a new secret in its file counts at once. */
  readonly readPlace: () => Place;
  readonly readKeys: () => readonly SigningKey[];
  readonly readHeaders: () => Readonly<Record<string, string>>;
  readonly source: string;
}

/** A program of yours, over HTTP. It gets a CloudEvent, signed according to Standard Webhooks. */
export function createWebhook({ name, readPlace, readKeys, readHeaders, source }: WebhookOptions): Receiver {
  return {
    name,
    capacity: 500,
    deliver: async (message, form, signal) => {
      const body = toCloudEvent(message, source, form);
      const signature = sign({ id: message.id, at: new Date(), body }, readKeys());
      return post(
        readPlace(),
        { headers: { 'content-type': CLOUD_EVENT_TYPE, ...signature, ...readHeaders() }, body },
        signal,
      );
    },
  };
}
