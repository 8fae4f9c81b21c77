import type { Message } from '../types.ts';
import type { Form } from './receiver.ts';
import { fit, wordsOf } from './words.ts';

const MOST_LINES = 200;

/** RFC 5322 §2.1.1: a line of a header has at most 998 characters. A line for people has far fewer. */
const SUBJECT = 150;

export interface MailText {
  readonly subject: string;
  readonly text: string;
}

/**
 * Only plain text. The words contain no control character, so none can begin another header. nodemailer encodes what is not ASCII, as RFC
 * 2047 says.
 */
export function toMailText(message: Message, form: Form): MailText {
  const words = wordsOf(message, form);
  const { title } = words;
  const characters = [...title];
  const subject = characters.length <= SUBJECT ? title : `${characters.slice(0, SUBJECT - 1).join('')}…`;
  const shown = fit(words, { most: MOST_LINES });
  return { subject, text: `${title}\n\n${shown.map((line) => `- ${line}\n`).join('\n')}` };
}
