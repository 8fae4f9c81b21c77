import type { TLSSocket } from 'node:tls';

/** Decides about a connection, and is told what became of it. */
export interface Judge {
  /** Asked in the tick in which a handshake of the connection ends. */
  readonly refusal: Question;
  /** The connection was refused. It is gone when this returns to the interception. */
  readonly onRefused?: (() => void) | undefined;
  /** The first time that the connection may be used, before anybody hears of it. `ask` puts a question about it later. */
  readonly onReleased?: ((ask: (question: Question) => void) => void) | undefined;
}

/** @returns the error of a refusal; undefined: the connection may be used. An exception is a refusal. */
type Question = () => Error | undefined;

/**
 * Puts a judge between Node and everybody who listens on `socket`.
 *
 * Node's own `onConnectSecure` (lib/internal/tls/wrap.js) emits `secureConnect`, then the withheld `session`. Listeners cannot stop one
 * another, so the emission itself is intercepted, on this one instance, for every handshake of the connection. The judge is asked and
 * obeyed in the tick in which the handshake ends: what was queued leaves in the next one.
 */
export function intercept(socket: TLSSocket, judge: Judge): TLSSocket {
  const emit = socket.emit as (this: TLSSocket, event: string | symbol, ...args: unknown[]) => boolean;
  let released = false;
  const pendingSessions: Buffer[] = [];

  const refuse = (error: Error): false => {
    released = false;
    pendingSessions.length = 0;
    judge.onRefused?.();
    socket.authorized = false;
    socket.authorizationError = error;
    socket.destroy(error);
    return false;
  };

  // Whether the connection may be used; where it may not, it is gone when this returns.
  const ask = (question: Question): boolean => {
    try {
      const refusal = question();
      return refusal === undefined || refuse(refusal);
    } catch (error) {
      return refuse(error as Error); // an exception in a check must not leave this call
    }
  };

  const onSecure = (): boolean => {
    if (!ask(judge.refusal)) return false;
    // Drivers look at these to learn whether the connection may be used; under a pin, the verdict is the answer.
    socket.authorized = true;
    socket.authorizationError = null as unknown as Error;
    if (released) return true;
    released = true;
    judge.onReleased?.(ask);
    emit.call(socket, 'secureConnect');
    for (const session of pendingSessions.splice(0)) emit.call(socket, 'session', session);
    return true;
  };

  socket.emit = function guardedEmit(this: TLSSocket, event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'secureConnect') return onSecure();
    // Under TLS 1.2 Node emits it even after a refusal: a cache filled then would resume at the wrong server.
    if (event === 'session' && !released) {
      if (!socket.destroyed) pendingSessions.push(args[0] as Buffer);
      return false;
    }
    return emit.call(this, event, ...args);
  } as TLSSocket['emit'];
  return socket;
}
