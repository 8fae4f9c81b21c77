import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes the notices of the watcher, and knows what it was told. */
export interface Receiver {
  readonly url: string;
  /** It answers with 503 from now on, or takes them again. */
  readonly setDown: (isDown: boolean) => void;
  /** Transitions that it was told. */
  readonly told: () => number;
  /** What must not be: a message or a transition that it has taken twice. */
  readonly faults: readonly string[];
  readonly close: () => Promise<void>;
}

interface Event {
  readonly type: string;
  readonly data: { readonly changes: readonly { readonly id: string }[] };
}

export async function startReceiver(): Promise<Receiver> {
  const taken = new Set<string>();
  const told = new Set<string>();
  const faults: string[] = [];
  let isDown = false;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    if (isDown) {
      response.writeHead(503).end();
      return;
    }
    const id = String(request.headers['webhook-id']);
    if (taken.has(id)) faults.push(`the message ${id} came twice`);
    taken.add(id);
    const { type, data } = JSON.parse(body) as Event;
    for (const change of data.changes) {
      if (type !== 'certpin.watch.changed') continue; // a reminder is about what was told
      if (told.has(change.id)) faults.push(`the transition ${change.id} was told twice`);
      told.add(change.id);
    }
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    setDown: (down) => {
      isDown = down;
    },
    told: () => told.size,
    faults,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
