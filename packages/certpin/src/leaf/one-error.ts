import type { Socket } from 'node:net';

/**
 * Lets `socket` emit `error` at most once and close then, as every stream does.
 *
 * A TLS socket of Node does neither: it emits each error that it finds in what it reads (`_emitTLSError` of lib/internal/tls/wrap.js), on
 * a destroyed socket too. Who has heard the first error listens no longer, so one broken record behind a refusal would end the process;
 * who waits for `close` would wait as long as the server likes. The first error that nobody hears is thrown, as ever.
 */
export function emitOneError<TLS extends Socket>(socket: TLS): TLS {
  const emit = socket.emit as (this: TLS, event: string | symbol, ...args: unknown[]) => boolean;
  let hasFailed = false;
  socket.emit = function emitOnce(this: TLS, event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'error') return emit.call(this, event, ...args);
    // A destroyed socket says why it was destroyed: a server cannot hide its refusal behind an error of its own.
    const error = socket.destroyed ? socket.errored : (args[0] as Error);
    if (hasFailed || error === null) return false;
    hasFailed = true;
    // Later: what came before an error can still be read then.
    Promise.resolve().then(() => socket.destroy(error));
    return emit.call(this, 'error', error);
  } as TLS['emit'];
  return socket;
}
