import { channel } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as startTimer } from 'node:timers';

/**
 * On this channel, Node publishes the client sockets of this process: those of `net.connect`, and since 22.17 and 24.2 those of `connect()`
 * too.
 */
const announcements = /* @__PURE__ */ channel('net.client.socket');

/** The only address at which ends listen. */
export const LOOPBACK = '127.0.0.1';

/** Ports of the ends that are open. */
const ports = new Set<number>();

/** Sockets that were announced, and that are not known to be connected to another server. Held weakly, because they are not ours. */
const announced = new Set<WeakRef<Socket>>();

/** How many may be announced before sockets that are gone are removed. */
const MIN_SWEEP = 64;
let sweepAt = MIN_SWEEP;

function onAnnouncement(message: unknown): void {
  const { socket } = message as { readonly socket: Socket };
  announced.add(new WeakRef(socket));
  if (announced.size < sweepAt) return;
  for (const reference of announced) if (isAstray(reference.deref())) announced.delete(reference);
  sweepAt = Math.max(MIN_SWEEP, 2 * announced.size);
}

/** From now on, the sockets of this process that connect to `port` are known. */
export function watchPort(port: number): void {
  if (ports.size === 0) announcements.subscribe(onAnnouncement);
  ports.add(port);
}

/** The end at this port is closed. */
export function unwatchPort(port: number): void {
  ports.delete(port);
  if (ports.size > 0) return;
  announcements.unsubscribe(onAnnouncement);
  announced.clear();
}

/** Whether it is connected, but to none of the ends. While a socket connects, it is not asked, because Node would remember the answer. */
function isAstray(socket: Socket | undefined): boolean {
  if (socket === undefined || socket.destroyed) return true;
  return !socket.pending && !(socket.remoteAddress === LOOPBACK && ports.has(socket.remotePort ?? 0));
}

/**
 * The other side of `caller`, if it is a socket of this process. The kernel gives a pair of addresses to one connection at a time, and a
 * socket is found once. So nobody else can be at these ports.
 */
function takeOwn({ remoteAddress, remotePort, localPort }: Socket): Socket | undefined {
  if (remoteAddress !== LOOPBACK) return undefined;
  for (const reference of announced) {
    const socket = reference.deref();
    if (socket === undefined || isAstray(socket)) announced.delete(reference);
    else if (!socket.pending && socket.localPort === remotePort && socket.remotePort === localPort) {
      announced.delete(reference);
      return socket;
    }
  }
  return undefined;
}

/**
 * A caller may be accepted before its own side knows that it is connected. Then its own side is looked for again after these milliseconds.
 */
const RETRIES_MS = [0, 0, 10, 50];

/** Looks for the other side of `caller`. Calls `done` once, with it or with undefined. */
export function findOwn(
  caller: Socket,
  done: (own: Socket | undefined) => void,
  retries: readonly number[] = RETRIES_MS,
): void {
  const own = takeOwn(caller);
  const [next, ...later] = retries;
  const again = (): void => findOwn(caller, done, later);
  if (own !== undefined || next === undefined || caller.destroyed) done(own);
  else if (next === 0) setImmediate(again);
  else startTimer(again, next).unref();
}
