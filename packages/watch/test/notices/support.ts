import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecretPlace } from '../../src/config/secret.ts';
import type { Message, NoticeKind, StoredTransition } from '../../src/types.ts';

/** Made anew for each run. */
export const SECRET = `whsec_${randomBytes(32).toString('base64')}`;

export const START = Date.parse('2027-03-01T10:00:00Z');

/** A transition from holds to drift, as far as nothing else is said. */
export function transition(change: Partial<StoredTransition> = {}): StoredTransition {
  const { number = 1, label = `db${number}.example.com:5432` } = change;
  return {
    ...{ id: randomUUID(), number, at: START, kind: 'changed', key: label, label, targetId: null, servername: null },
    ...{
      from: 'holds',
      to: 'drift',
      remark: null,
      reason: 'the presented certificate is none of the pinned ones',
      mutedBy: null,
    },
    ...{ addresses: [], endsAt: START + 864_000_000 },
    ...change,
  };
}

export function message(transitions: readonly StoredTransition[], kind: NoticeKind = 'transition'): Message {
  return { id: randomUUID(), receiver: 'ops', kind, transitions, attempts: 0, createdAt: START };
}

export function ofTest(): Message {
  return message([], 'test');
}

/** Secrets by a name, in place of files. */
export function secrets(values: Readonly<Record<string, string>>): (place: SecretPlace) => string {
  return (place) => {
    const name = 'env' in place ? place.env : place.file;
    const value = values[name];
    if (value === undefined) throw new Error(`${name} is not set`);
    return value;
  };
}

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpReceiver {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** What it does with the next request, and all that follow. */
  answer: (response: ServerResponse, received: Received) => void;
  readonly close: () => Promise<void>;
}

/** A server that takes everything, until it is told otherwise. */
export async function startReceiver(): Promise<HttpReceiver> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, body };
      receiver.received.push(one);
      receiver.answer(response, one);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const receiver: HttpReceiver = {
    url: `http://127.0.0.1:${port}/`,
    port,
    received: [],
    answer: (response) => response.end(),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}

/** A folder that goes with the test. */
export function folderFor(test: { after: (work: () => void) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-notices-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Texts that a maker of certificates could write to do harm where they are shown. */
export const HOSTILE: readonly string[] = [
  'CN=\r\nBcc: victim@example.com\r\n\r\nbody',
  'CN=\u001b]0;title\u0007\u001b[2J',
  'CN=<!channel> <https://evil.example|sign in> *bold* _it_ `code` ~x~',
  'CN=[sign in](https://evil.example/login) **now** ![x](https://evil.example/x.png)',
  'CN=</script><script>alert(1)</script>',
  'CN=\u202Egnp.exe\u2066 hidden \u2028line\u2029paragraph\u0085next',
  'CN="},{"labels":{"alertname":"x"}}',
  'CN=\ud800 half, \ufffe none, \u0000 nothing',
  'CN=@channel @everyone <at>all</at> www.evil.example mailto:x@evil.example',
  'CN={{ template }} $env %s %n $(id) `id`; rm -rf /',
  `CN=${'long '.repeat(10_000)}`,
  'CN=.\r\nQUIT\r\n',
  'CN==?utf-8?Q?=0D=0ABcc=3A_x=40evil.example?=',
];
