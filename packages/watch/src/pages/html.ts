import { INVISIBLE } from '../invisible.ts';

const written: unique symbol = Symbol('html');

/** Text that is HTML. Only `html` makes it. Any other string is somebody's text, and is escaped. */
export interface Html {
  readonly [written]: string;
}

export type HtmlValue = string | number | Html | readonly HtmlValue[] | undefined | false;

/**
 * HTML with values in it. A string is escaped so that it stays text between tags and in double quotes. A value can be nowhere else.
 * Invisible characters are made visible: marks for the direction of writing, line ends, halves of characters.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return { [written]: strings.reduce((text, part, index) => text + write(values[index - 1]) + part) };
}

export function textOf(page: Html): string {
  return page[written];
}

function write(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escaped(value);
  if (Array.isArray(value)) return (value as readonly HtmlValue[]).map(write).join('');
  return (value as Html)[written];
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** A server chooses the names in its certificate. One of them can have 45 kB. */
const LONGEST = 2000;

function escaped(text: string): string {
  const short = text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length} characters)`;
  return short.replace(INVISIBLE, '\uFFFD').replace(/[&<>"'`]/g, (character) => entities[character] ?? '');
}
