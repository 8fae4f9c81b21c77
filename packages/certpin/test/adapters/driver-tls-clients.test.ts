// Clients that others wrote, with their own connections under `pinnedTls`: the pinned server is spoken to, and another one hears nothing.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certificateHex, mint, startTlsServer } from '@certpin/testkit';
import { isSupported, type PinnedTls, pinnedTls } from '../../src/adapters/driver-tls.ts';

const [right, impostor] = [await mint(), await mint()];
const skip = isSupported() ? false : `Node ${process.version} does not announce TLS sockets`;

/** Begins to connect; what it returns ends the client. What the client says of its failure is told on its own page. */
type Begin = (port: number, tls: PinnedTls) => Promise<() => unknown>;

const quiet = <Client extends object>(client: Client): Client => {
  (client as unknown as { on(event: string, listener: () => void): void }).on('error', () => undefined);
  return client;
};
const ignore = (promise: Promise<unknown>): void => void promise.catch(() => undefined);

const mongo =
  (name: string): Begin =>
  async (port, tls) => {
    const { MongoClient } = (await import(name)) as typeof import('mongodb');
    const client = new MongoClient(`mongodb://localhost:${port}`, {
      tls: true,
      ...tls,
      serverSelectionTimeoutMS: 10_000,
    } as object);
    ignore(client.connect());
    return () => client.close();
  };
const ioredis =
  (name: string): Begin =>
  async (port, tls) => {
    const { default: Redis } = (await import(name)) as unknown as {
      default: { new (options: object): { disconnect(): void } };
    };
    const client = quiet(new Redis({ host: 'localhost', port, tls }));
    return () => client.disconnect();
  };
const redis =
  (name: string): Begin =>
  async (port, tls) => {
    const { createClient } = (await import(name)) as {
      createClient: (options: object) => { connect(): Promise<void>; destroy?(): void; disconnect?(): Promise<void> };
    };
    const client = quiet(createClient({ socket: { host: 'localhost', port, tls: true, ...tls } }));
    ignore(client.connect());
    return () => (client.destroy === undefined ? client.disconnect?.() : client.destroy());
  };
const redis3: Begin = async (port, tls) => {
  const { default: module } = (await import('redis-3' as string)) as {
    default: { createClient(options: object): { end(flush: boolean): void } };
  };
  const client = quiet(module.createClient({ host: 'localhost', port, tls }));
  return () => client.end(false);
};
const ldapts =
  (name: string): Begin =>
  async (port, tlsOptions) => {
    const { Client } = (await import(name)) as typeof import('ldapts');
    const client = new Client({
      url: `ldaps://localhost:${port}`,
      tlsOptions,
      connectTimeout: 10_000,
      timeout: 10_000,
    });
    ignore(client.bind('cn=admin', 'password'));
    return () => client.unbind().catch(() => undefined);
  };
const ldapjs =
  (name: string): Begin =>
  async (port, tlsOptions) => {
    const { default: module } = (await import(name)) as unknown as {
      default: { createClient(options: object): { bind(...args: unknown[]): void; destroy(): void } };
    };
    const client = quiet(module.createClient({ url: `ldaps://localhost:${port}`, tlsOptions, connectTimeout: 10_000 }));
    client.bind('cn=admin', 'password', () => undefined);
    return () => client.destroy();
  };

const clients: Record<string, Begin> = {
  'mongodb 6': mongo('mongodb'),
  'mongodb 5': mongo('mongodb-5'),
  'mongodb 5.1': mongo('mongodb-5.1'),
  'mongodb 4': mongo('mongodb-4'),
  'ioredis 5': ioredis('ioredis'),
  'ioredis 4': ioredis('ioredis-4'),
  'redis 5': redis('redis'),
  'redis 4': redis('redis-4'),
  'redis 3': redis3,
  'ldapts 8': ldapts('ldapts'),
  'ldapts 7': ldapts('ldapts-7'),
  'ldapjs 3': ldapjs('ldapjs'),
  'ldapjs 2': ldapjs('ldapjs-2'),
};

for (const [name, begin] of Object.entries(clients)) {
  describe(`a client that knows nothing of certpin: ${name}`, () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
      test(`speaks to the pinned server only, over ${maxVersion}`, { skip }, async (t) => {
        const pins = certificateHex(right);
        for (const certificate of [right, impostor]) {
          const server = await startTlsServer({ certificate, maxVersion, onSocket: (socket) => socket.resume() });
          t.after(server.close);
          let calls = 0;
          server.server.on('connection', () => calls++);
          const end = await begin(server.port, pinnedTls({ pins }));
          const isOver = (): boolean => (certificate === right ? server.received() > 0 : calls > 0);
          for (let wait = 0; wait < 2_000 && !isOver(); wait++) await new Promise((resolve) => setTimeout(resolve, 10));
          await new Promise((resolve) => setTimeout(resolve, 50));
          await end();
          assert.ok(isOver(), 'it has called the server');
          assert.equal(server.received() > 0, certificate === right);
        }
      });
  });
}
