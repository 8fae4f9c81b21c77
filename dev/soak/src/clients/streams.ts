import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { pinnedTls } from 'certpin/driver-tls';
import { pinnedForward } from 'certpin/forward';
import { expectCanary, nodeErrors, type SoakClient, seen } from '../client.ts';
import { type Connection, poolOf } from '../pool.ts';

const connectionErrors = [...nodeErrors, 'closed without an answer'];

/** Clients that are only a socket. */
export const streamClients: readonly SoakClient[] = [
  {
    name: 'forward',
    server: 'echo',
    connectionErrors,
    open: ({ host, port }, pins, connections) => {
      const end = pinnedForward({ host, port }, { pins });
      const pool = poolOf(async () => onSocket(connectTcp(await end)), connections);
      return {
        ...pool,
        close: async () => {
          await pool.close();
          await (await end).close();
        },
      };
    },
  },
  {
    ...seen,
    name: 'driver-tls',
    server: 'echo',
    connectionErrors,
    open: ({ host, port }, pins, connections) => {
      const options = { host, port, ...pinnedTls({ pins }) };
      return poolOf(async () => onSocket(connectTls(options)), connections);
    },
  },
];

/** What it writes first is queued before the handshake. */
function onSocket(socket: Socket): Connection {
  let reason = new Error('closed without an answer');
  let hear = (_: string): void => undefined;
  let fail = (_: Error): void => undefined;
  socket.setEncoding('latin1').on('data', (text: string) => hear(text));
  socket.on('error', (error) => {
    reason = error;
  });
  socket.on('close', () => fail(reason)).on('end', () => socket.destroy());
  return {
    isOpen: () => !socket.destroyed,
    exchange: async () => {
      let answer = '';
      await new Promise<void>((resolve, reject) => {
        fail = reject;
        hear = (text) => {
          answer += text;
          if (answer.length >= 'canary'.length) resolve();
        };
        socket.write('canary');
      });
      expectCanary(answer);
    },
    close: () => socket.destroy(),
  };
}
