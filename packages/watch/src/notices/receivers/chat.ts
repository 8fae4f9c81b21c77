import type { Message } from '../../types.ts';
import { type Place, post } from '../post.ts';
import type { Form, Receiver } from '../receiver.ts';

export interface ChatOptions {
  readonly name: string;
  /** The address is a secret: everybody who knows it may write there. */
  readonly readPlace: () => Place;
  readonly toBody: (message: Message, form: Form) => string;
}

/** A channel of people: everything that happened goes into one message. */
export function createChat({ name, readPlace, toBody }: ChatOptions): Receiver {
  return {
    name,
    capacity: 5_000,
    deliver: async (message, form, signal) => {
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      return post(readPlace(), { headers, body: toBody(message, form) }, signal);
    },
  };
}
