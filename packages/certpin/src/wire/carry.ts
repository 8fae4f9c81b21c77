import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Somebody who is connected to an end, in plaintext. */
export interface Caller {
  /** Our side of it: paused, and not read before the verdict. */
  readonly socket: Socket;
  /** The caller's own side, where it is of this process and known. */
  readonly own: Socket | undefined;
}

/** Opens the pinned connection of a caller. */
export type OpenUpstream = () => TLSSocket;

/**
 * Joins a caller and its server. Neither is read before the verdict. Ends of each direction are carried, and both wait for one another's
 * buffers. What is here holds no process: the caller's own side does.
 *
 * @param opened called after a matching verdict, before the first byte
 * @param failed called once, where the connection could not be made or broke
 */
export function carry(
  { socket, own }: Caller,
  open: OpenUpstream,
  opened: () => void,
  failed: (error: Error) => void,
): void {
  let upstream: TLSSocket;
  try {
    upstream = open().unref();
  } catch (error) {
    failed(error as Error); // a host without pins, or a TLS option that cannot be used
    return;
  }
  let isOver = false;
  const fail = (error: Error): void => {
    if (!isOver && !upstream.readableEnded) failed(error);
    isOver = true;
  };
  // A caller that is paused does not tell us that it has gone; its own side does.
  const giveUp = (): void => void upstream.destroy();
  own?.once('close', giveUp);
  socket.on('error', giveUp).once('close', () => {
    own?.off('close', giveUp);
    if (socket.readableEnded) upstream.destroySoon();
    else upstream.destroy();
  });
  upstream.on('error', fail).once('close', () => {
    // An orderly end is carried to its last byte; a break must not look like one.
    if (upstream.readableEnded) socket.destroySoon();
    else breakOff(socket);
  });
  upstream.once('secureConnect', () => {
    own?.off('close', giveUp);
    upstream.setNoDelay(true);
    opened();
    socket.pipe(upstream).pipe(socket);
  });
}

/** Ends a caller with the error that it should report. */
export function failCaller({ socket, own }: Caller, error: Error): void {
  // Where nobody listens the error would be thrown, and end the process.
  if (own?.destroyed === false) own.destroy(own.listenerCount('error') > 0 ? error : undefined);
  breakOff(socket);
}

/** So that the caller does not take it for an orderly end. A unix socket knows no reset. */
export function breakOff(socket: Socket): void {
  if (socket.remotePort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
