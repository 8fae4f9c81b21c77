import type { Socket } from 'node:net';
import { type LdapMessage, readLdapMessage } from './ldap.ts';

/** More than a client sends before it has TLS. */
const MAX_BYTES = 65_536;

/** Takes the first message from a socket. undefined: the bytes are not a message, and stay in the socket. */
export function readFirstLdap(socket: Socket, then: (message: LdapMessage | undefined) => void): void {
  let bytes = Buffer.alloc(0);
  const settle = (message: LdapMessage | undefined): void => {
    socket.off('readable', take).off('end', giveUp);
    const rest = bytes.subarray(message?.bytes.length ?? 0);
    if (rest.length > 0 && !socket.readableEnded) socket.unshift(rest);
    then(message);
  };
  const giveUp = (): void => settle(undefined);
  const take = (): void => {
    bytes = Buffer.concat([bytes, (socket.read() ?? Buffer.alloc(0)) as Buffer]);
    const message = readLdapMessage(bytes);
    if (message !== undefined || bytes.length > MAX_BYTES) settle(message);
  };
  socket.on('readable', take).on('end', giveUp);
  take();
}
