import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Somebody who is connected to an end, in plaintext. */
export interface Caller {
  /** Our side of it. It is paused, and not read before the verdict. */
  readonly socket: Socket;
  /** The caller's own side, if it belongs to this process and is known. */
  readonly own: Socket | undefined;
}

/** Opens the pinned connection of a caller. */
export type OpenUpstream = () => TLSSocket;

/**
 * Joins a caller and its server. Neither is read before the verdict. The end of each direction is passed on. Each side waits while the
 * buffer of the other is full. Nothing here keeps the process alive: the caller's own side does.
 *
 * @param opened called after a matching verdict, before the first byte
 * @param failed called once, if the connection could not be made, or broke
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
    failed(error as Error); // For a host without pins, or a TLS option that cannot be used.
    return;
  }
  let isOver = false;
  const fail = (error: Error): void => {
    if (!isOver && !upstream.readableEnded) failed(error);
    isOver = true;
  };
  // A paused caller does not report that it has gone. Its own side does.
  const giveUp = (): void => void upstream.destroy();
  own?.once('close', giveUp);
  socket.on('error', giveUp).once('close', () => {
    own?.off('close', giveUp);
    if (socket.readableEnded) upstream.destroySoon();
    else upstream.destroy();
  });
  upstream.on('error', fail).once('close', () => {
    // An orderly end is passed on to its last byte. A break must not look like one.
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
  // Without a listener, the error would be thrown and end the process.
  if (own?.destroyed === false) own.destroy(own.listenerCount('error') > 0 ? error : undefined);
  breakOff(socket);
}

/** With a reset, so that the caller does not take it for an orderly end. A unix socket knows no reset. */
export function breakOff(socket: Socket): void {
  if (socket.remotePort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
