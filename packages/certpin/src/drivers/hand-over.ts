import { setImmediate } from 'node:timers';
import type { TLSSocket } from 'node:tls';

/** The function of this moment: a test may replace it by a fake later. */
const later = setImmediate;

/**
 * Gives a verified socket to a client that begins to listen some ticks later: undici first resolves a promise, and starts its parser.
 *
 * The connection may end in between: a server can end it in the packet that ends the handshake. Events that say so wait until the client
 * listens for errors. Otherwise they would end the process, or the client would wait for ever.
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
    // Later: then the client has attached its other listeners too, and counts the connection as its own.
    later(() => {
      socket.emit = emit;
      for (const event of waiting) emit.apply(socket, event);
    });
  });
  take();
}
