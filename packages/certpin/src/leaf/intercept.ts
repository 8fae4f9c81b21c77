import type { TLSSocket } from 'node:tls';

/** Decides about a connection, and learns its outcome. */
export interface Judge {
  /** Called in the tick in which a handshake of the connection ends. */
  readonly refusal: Question;
  /** The connection was refused. The interception destroys it right after this call. */
  readonly onRefused?: (() => void) | undefined;
  /** Called when the connection may be used for the first time, before any listener knows. `ask` judges the connection again later. */
  readonly onReleased?: ((ask: (question: Question) => void) => void) | undefined;
}

/** @returns the error of a refusal. undefined: the connection may be used. An exception is a refusal. */
type Question = () => Error | undefined;

/**
 * Puts a judge between Node and everybody who listens on `socket`.
 *
 * Node's own `onConnectSecure` (lib/internal/tls/wrap.js) emits `secureConnect`, then the withheld `session`. A listener cannot keep an
 * event from other listeners. So `emit` itself is intercepted, on this one instance, for every handshake of the connection. The judge must
 * decide in the tick in which the handshake ends: queued bytes leave in the next tick.
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

  // Whether the connection may be used. If not, it is destroyed when this returns.
  const ask = (question: Question): boolean => {
    try {
      const refusal = question();
      return refusal === undefined || refuse(refusal);
    } catch (error) {
      return refuse(error as Error); // An exception in a check must not leave this call.
    }
  };

  const onSecure = (): boolean => {
    if (!ask(judge.refusal)) return false;
    // Drivers read these to find out whether the connection may be used. Under a pin, the verdict is the answer.
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
    // Under TLS 1.2, Node emits `session` even after a refusal. A cache with this session would resume at the wrong server.
    if (event === 'session' && !released) {
      if (!socket.destroyed) pendingSessions.push(args[0] as Buffer);
      return false;
    }
    return emit.call(this, event, ...args);
  } as TLSSocket['emit'];
  return socket;
}
