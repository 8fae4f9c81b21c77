import type { Message } from '../types.ts';
import type { Form } from './receiver.ts';
import { fit, wordsOf } from './words.ts';

/** Of a header, and of a text in a section, in characters; and of blocks in a message (Block Kit reference). */
const HEADER = 150;
const SECTION = 3_000;

/** How many targets are named. */
const MOST_LINES = 20;

/**
 * The body of an incoming webhook of Slack. All of it is plain text: in mrkdwn a name in a certificate could be a link, a mention of everybody
 * (`<!channel>`), or another line.
 */
export function toSlack(message: Message, form: Form): string {
  const words = wordsOf(message, form);
  const { title } = words;
  const shown = fit(words, { most: MOST_LINES });
  return JSON.stringify({
    // What a notification on a telephone shows. It is read as mrkdwn whatever we ask for, so its three characters are escaped.
    text: escapeMrkdwn(title),
    mrkdwn: false,
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(title, HEADER) },
      ...shown.map((line) => ({ type: 'section', text: plain(line, SECTION) })),
    ],
  });
}

function plain(text: string, longest: number): object {
  return { type: 'plain_text', text: shorten(text, longest), emoji: false };
}

/** Slack counts characters; half of a pair is none. */
function shorten(text: string, longest: number): string {
  const characters = [...text];
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join('')}…`;
}

/** Slack, "Formatting text for app surfaces": the three control characters. Marks of style cannot do harm, but they would change the text. */
function escapeMrkdwn(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped;
}
