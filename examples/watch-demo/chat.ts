import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** In place of Slack: it takes messages in its form, and keeps what people would read. */
export interface Chat {
  readonly url: string;
  /** What was said until now, as soon as it fits. */
  readonly until: (isEnough: (text: string) => boolean) => Promise<string>;
  readonly close: () => Promise<void>;
}

interface SlackMessage {
  readonly blocks: readonly { readonly text: { readonly text: string } }[];
}

export async function startChat(): Promise<Chat> {
  const said: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    said.push(...(JSON.parse(body) as SlackMessage).blocks.map(({ text }) => text.text));
    response.end('ok');
    server.emit('said');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    until: async (isEnough) => {
      while (!isEnough(said.join('\n'))) await once(server, 'said');
      return said.join('\n');
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
