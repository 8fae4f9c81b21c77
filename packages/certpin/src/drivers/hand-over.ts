import { setImmediate } from 'node:timers';
import type { TLSSocket } from 'node:tls';

/** That of now: a test may fake it later. */
const later = setImmediate;

/**
 * Gives a verified socket to a client that listens some ticks later: undici resolves a promise first, and starts its parser.
 *
 * In between, the connection may end: a server may end it in the packet that ends the handshake. Events that say so wait until the client
 * listens for errors. Otherwise they would end the process, or the client would wait for an answer that never comes.
 */
export function handOver(socket: TLSSocket, take: () => void): void {
  const { emit } = socket;
  const waiting: Parameters<typeof emit>[] = [];
  socket.emit = function emitLater(this: TLSSocket, ...event: Parameters<typeof emit>): boolean {
    if (!/^(?:error|end|close)$/.test(String(event[0]))) return emit.apply(this, event);
    waiting.push(event);
    return true;
  } as TLSSocket['emit'];
  socket.on('newListener', function listens(event) {
    if (event !== 'error') return;
    socket.off('newListener', listens);
    // Later, when the client has attached its other listeners too and counts the connection among its own.
    later(() => {
      socket.emit = emit;
      for (const event of waiting) emit.apply(socket, event);
    });
  });
  take();
}
