import { isIP } from 'node:net';
import { INVISIBLE } from '../invisible.ts';

/** In characters. A name in a certificate can have 45 kB. */
const LONGEST = 300;

/**
 * Text that a server, a certificate or a network has chosen, as one line of limited length. It is not escaped for any format: the code for
 * Slack, Teams or mail does that.
 */
export function clean(text: string): string {
  // More than enough for LONGEST characters of two units each. The rest is not read.
  const line = text.slice(0, 2 * LONGEST + 1).replace(INVISIBLE, '\uFFFD');
  const characters = [...line];
  return characters.length <= LONGEST ? line : `${characters.slice(0, LONGEST - 1).join('')}…`;
}

/** What joins the parts of a name, a mail address or a URL, and the full stops of other writing systems (UTS 46). */
const JOINT = /(?<=\S)[.@:\u2024\u3002\uFE52\uFF0E\uFF61\uFE55\uFF1A\uFE6B\uFF20](?=\S)/gu;

/**
 * The same for people whose program turns text into links, with or without a scheme. A certificate may name a page of its maker, and a
 * colleague would click it in a message from us.
 */
export function cleanForPeople(text: string): string {
  return clean(text).replaceAll(/\S+/g, (word) => (isNumber(word) ? word : word.replaceAll(JOINT, '[$&]')));
}

/** A time, or an IP address with its port: it is not a link, and people copy it. */
function isNumber(word: string): boolean {
  const bare = word.replace(/[,;.]+$/, '');
  if (/^(?:\d{4}-\d\d-\d\dT)?[\d.:]+Z?$/.test(bare)) return true;
  const [whole = '', host = ''] = /^\[?([\da-f.:]+?)\]?(?::\d+)?$/i.exec(bare) ?? [];
  return isIP(whole) !== 0 || isIP(host) !== 0;
}
