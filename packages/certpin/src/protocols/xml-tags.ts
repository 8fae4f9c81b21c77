/** One tag in a stream of XML. */
export interface XmlTag {
  readonly kind: 'start' | 'end' | 'empty';
  /** With its prefix, as written. */
  readonly name: string;
  /** Values as written: entities are not resolved. */
  readonly attributes: ReadonlyMap<string, string>;
  /** The number of characters that it takes. */
  readonly length: number;
}

const NAME = '[A-Za-z_][\\w.:-]*';
const ATTRIBUTE = `\\s+(${NAME})\\s*=\\s*(?:'([^']*)'|"([^"]*)")`;
const TAG = new RegExp(`^<(/?)(${NAME})((?:${ATTRIBUTE})*)\\s*/?>$`);

/**
 * Reads the tag at the beginning of `text`. RFC 6120 §11.1 allows no comment, no processing instruction and no document type, so only text
 * can stand between the tags.
 *
 * @returns `cut` if it has not ended, `foreign` if it is not a tag
 */
export function readXmlTag(text: string): XmlTag | 'cut' | 'foreign' {
  if (!/^<(?:[A-Za-z_/]|$)/.test(text)) return 'foreign';
  let quote: string | undefined;
  for (let at = 1; at < text.length; at++) {
    const letter = text[at];
    // XML 1.0 §3.1: not even in the value of an attribute.
    if (letter === '<') return 'foreign';
    if (quote !== undefined) {
      if (letter === quote) quote = undefined;
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '>') return parse(text.slice(0, at + 1));
  }
  return 'cut';
}

function parse(text: string): XmlTag | 'foreign' {
  const match = TAG.exec(text);
  if (match === null) return 'foreign';
  const [, slash = '', name = '', list = ''] = match;
  const isEmpty = text.at(-2) === '/';
  const isEnd = slash !== '';
  if (isEnd && (isEmpty || list !== '')) return 'foreign';
  const attributes = new Map<string, string>();
  for (const [, key = '', single, double] of list.matchAll(new RegExp(ATTRIBUTE, 'g'))) {
    if (attributes.has(key)) return 'foreign';
    attributes.set(key, single ?? double ?? '');
  }
  return { kind: isEnd ? 'end' : isEmpty ? 'empty' : 'start', name, attributes, length: text.length };
}
