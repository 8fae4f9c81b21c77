import type { Transporter } from 'nodemailer';
import type { Message } from '../../types.ts';
import { type MailServer, openMailSocket } from '../mail-socket.ts';
import { toMailText } from '../mail-text.ts';
import { tellError } from '../post.ts';
import type { Form, Outcome, Receiver } from '../receiver.ts';

export interface MailOptions {
  readonly name: string;
  readonly server: MailServer;
  readonly login: (() => { readonly user: string; readonly password: string }) | undefined;
  readonly from: string;
  /** One address, so that there is one answer. For several people, use a mailing list or several receivers. */
  readonly to: string;
}

/** The package that sends mail. It is an optional peer: without mail, it need not be installed. */
export type Nodemailer = Pick<typeof import('nodemailer'), 'createTransport'>;

/** @throws (as a rejection) an Error that says what to install */
export async function loadNodemailer(): Promise<Nodemailer> {
  try {
    return await import('nodemailer');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error('mail needs the package nodemailer beside certpin: npm install nodemailer', { cause: error });
  }
}

export function createMail(options: MailOptions, nodemailer: Nodemailer): Receiver {
  return {
    name: options.name,
    capacity: 5_000,
    deliver: async (message, form, signal) => {
      try {
        await send(options, nodemailer, toMail(message, form, options), signal);
        return { result: 'delivered', detail: 'the server has taken it' };
      } catch (error) {
        return outcomeOf(error, signal);
      }
    },
  };
}

type Mail = Parameters<Transporter['sendMail']>[0];

function toMail(message: Message, form: Form, { from, to }: MailOptions): Mail {
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    ...toMailText(message, form),
    from: { name: 'certpin', address: from },
    to: { name: '', address: to },
    // The same at every attempt, so that a mailbox can recognise a repeat.
    messageId: `<${message.id}@${domain}>`,
    // RFC 3834 §5: no automatic answers.
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

async function send(
  { server, login }: MailOptions,
  nodemailer: Nodemailer,
  mail: Mail,
  signal: AbortSignal,
): Promise<void> {
  const connection = await openMailSocket(server, signal);
  const end = (): unknown => connection.destroy(new Error('there was no answer in time'));
  signal.addEventListener('abort', end, { once: true });
  const account = login?.();
  const transport = nodemailer.createTransport({
    host: server.host,
    name: 'localhost',
    ignoreTLS: true, // It has begun, or is not wanted.
    getSocket: (_: unknown, done: (error: unknown, socket?: object) => void) => {
      // nodemailer did not listen to the signal until now. It would wait for a socket that is already destroyed.
      if (signal.aborted) done(signal.reason);
      else done(null, { connection, secured: server.tls !== 'none', secure: false });
    },
    ...(account === undefined ? {} : { auth: { user: account.user, pass: account.password } }),
  } as Parameters<Nodemailer['createTransport']>[0]);
  try {
    await transport.sendMail(mail);
  } finally {
    signal.removeEventListener('abort', end);
    transport.close();
    connection.destroy();
  }
}

/** The server's text is not repeated: it may contain what it was told. */
function outcomeOf(error: unknown, signal: AbortSignal): Outcome {
  const { responseCode: code } = error as { responseCode?: unknown };
  if (typeof code !== 'number' || signal.aborted) return { result: 'failed', detail: tellError(error, signal) };
  // RFC 5321 §4.2.1: a code that begins with 5 means that a repeat would get the same answer.
  return { result: code >= 500 ? 'refused' : 'failed', detail: `it has answered with ${code}` };
}
