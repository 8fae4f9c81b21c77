import type { Message } from '../types.ts';
import type { Form } from './receiver.ts';
import { fit, wordsOf } from './words.ts';

/** Slack's limits (Block Kit reference): characters in a header, characters of a text in a section, and blocks in a message. */
const HEADER = 150;
const SECTION = 3_000;

/** How many targets are named. */
const MOST_LINES = 20;

/**
 * The body for an incoming webhook of Slack. All of it is plain text. In mrkdwn, a name in a certificate could be a link, a mention of
 * everybody (`<!channel>`), or another line.
 */
export function toSlack(message: Message, form: Form): string {
  const words = wordsOf(message, form);
  const { title } = words;
  const shown = fit(words, { most: MOST_LINES });
  return JSON.stringify({
    // What a notification on a phone shows. Slack reads it as mrkdwn in any case, so the three control characters are escaped.
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

/** Slack counts characters. Half of a pair is not one. */
function shorten(text: string, longest: number): string {
  const characters = [...text];
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join('')}…`;
}

/** Slack, "Formatting text for app surfaces": the three control characters. Style marks do no harm, but would change the text. */
function escapeMrkdwn(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped;
}
