import type { Socket } from 'node:net';

/**
 * Lets `socket` emit `error` at most once and then close, as every stream does.
 *
 * A TLS socket of Node emits each error that it finds in its input, even after it was destroyed (`_emitTLSError` of
 * lib/internal/tls/wrap.js). After the first error nobody listens any more, so a broken record behind a refusal would end the process. The
 * socket also closes late: a server could make `close` wait for ever. A first error without a listener is thrown as usual.
 */
export function emitOneError<TLS extends Socket>(socket: TLS): TLS {
  const emit = socket.emit as (this: TLS, event: string | symbol, ...args: unknown[]) => boolean;
  let hasFailed = false;
  socket.emit = function emitOnce(this: TLS, event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'error') return emit.call(this, event, ...args);
    // The error with which a socket was destroyed comes first: a server cannot hide its refusal behind an error of its own.
    const error = socket.destroyed ? socket.errored : (args[0] as Error);
    if (hasFailed || error === null) return false;
    hasFailed = true;
    // Later, so that data from before the error can still be read.
    Promise.resolve().then(() => socket.destroy(error));
    return emit.call(this, 'error', error);
  } as TLS['emit'];
  return socket;
}
