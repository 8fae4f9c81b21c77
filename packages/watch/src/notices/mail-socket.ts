import { once } from 'node:events';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { connect as connectPinned } from 'certpin/tls';
import { lookupLoopback } from '../loopback.ts';

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first byte (465). `starttls`: after a conversation (587, 25). `none`: only on this machine. */
  readonly tls: 'implicit' | 'starttls' | 'none';
  /** undefined: Node verifies the server as it verifies every other server. */
  readonly pins: readonly string[] | undefined;
}

/**
 * Opens the connection over which mail is sent. With `starttls`, the server has greeted already. So the greeting is put back: the code that
 * sends mail waits for one, and then says EHLO as RFC 3207 §4.2 demands.
 *
 * @throws (as a rejection) if the server is the wrong one, has no TLS, or says something that it must not; and at the signal
 */
export async function openMailSocket(server: MailServer, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const { host, port, tls } = server;
  if (tls === 'implicit') return secure(server, undefined, signal);
  const plain = connectPlain({ host, port, ...(tls === 'none' ? { lookup: lookupLoopback } : {}) });
  return useUntil(signal, plain, async () => {
    await once(plain, 'connect');
    if (tls === 'none') return plain;
    await askForTls(plain);
    const socket = await secure(server, plain, signal);
    socket.unshift(Buffer.from('220 certpin\r\n'));
    return socket;
  });
}

/** The signal, or a failure, destroys the socket. Whatever waits for the socket ends with it. */
async function useUntil<Result>(signal: AbortSignal, socket: Socket, work: () => Promise<Result>): Promise<Result> {
  // Each wait listens for an error itself. Between two of them nobody listens, and an error would end the process.
  socket.on('error', () => undefined);
  const end = (): unknown => socket.destroy(new Error('there was no answer in time'));
  signal.addEventListener('abort', end, { once: true });
  try {
    return await work();
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function secure({ host, port, pins }: MailServer, socket: Socket | undefined, signal: AbortSignal): Promise<Socket> {
  const where = { host, port, ...(socket === undefined ? {} : { socket }) };
  const secured =
    pins === undefined
      ? connectTls({ ...where, ...(isIP(host) === 0 ? { servername: host } : {}), minVersion: 'TLSv1.2' }) // RFC 6066 §3: no address
      : connectPinned({ ...where, pins });
  return useUntil(signal, secured, async () => {
    await once(secured, 'secureConnect');
    return secured;
  });
}

/** Limit for all replies together, in bytes: no server has more to say before TLS. */
const MOST = 16_384;

/** RFC 3207 §4. The name says nothing about this machine. */
async function askForTls(socket: Socket): Promise<void> {
  const chunks: AsyncIterator<Buffer> = socket.iterator({ destroyOnReturn: false });
  let text = '';
  /** @returns the code of the next reply. RFC 5321 §4.2.1: in its last line, a space follows the code */
  const reply = async (): Promise<string> => {
    for (;;) {
      const [whole, code] = /^(?:\d{3}-.*\r?\n)*(\d{3})(?: .*)?\r?\n/.exec(text) ?? [];
      if (whole !== undefined && code !== undefined) {
        text = text.slice(whole.length);
        return code;
      }
      if (text.length > MOST) throw new Error('it says too much before TLS');
      const { value, done } = await chunks.next();
      if (done) throw new Error('it has ended the connection before TLS');
      text += value.toString('latin1');
    }
  };
  const expect = async (wanted: string, what: string): Promise<void> => {
    const code = await reply();
    if (code !== wanted) throw new Error(`it has answered ${what} with ${code}`);
  };
  await expect('220', 'the connection');
  socket.write('EHLO localhost\r\n');
  await expect('250', 'EHLO');
  socket.write('STARTTLS\r\n');
  await expect('220', 'STARTTLS');
  await chunks.return?.();
  // Somebody in between could have sent them. Under TLS, they would be taken for the server's (CVE-2011-0411).
  if (text !== '' || socket.readableLength > 0) throw new Error('it has sent something behind its consent to TLS');
}
