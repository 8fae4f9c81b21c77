import { type ParserOptions, parse, parseExpression } from '@babel/parser';

/** Markers that Auth0's Deploy CLI replaces in scripts: `##KEY##` by the text itself, `@@KEY@@` by the text as JSON. */
const MARKER = /@@[\w.-]+@@|##[\w.-]+##/g;

/** Stands for a part of a text that is not known. */
export const HOLE = '\uFFFC';

/** The text with holes in place of its markers: their values are not in the script. */
export function withHoles(text: string): string {
  return text.replace(MARKER, HOLE);
}

/**
 * The source with names in place of the markers that are not JavaScript, as in `port: ##PORT##`. Names and markers have the same length, so
 * no place moves. Markers in strings and comments stay.
 */
export function maskMarkers(text: string): string {
  if (text.search(MARKER) === -1) return text;
  const mask = (marker: string): string => marker.replace(/\W/g, '_');
  const masked = text.replace(MARKER, mask);
  const quoted = quotedRanges(masked);
  return text.replace(MARKER, (marker, offset: number) =>
    quoted.some(([start, end]) => offset >= start && offset < end) ? marker : mask(marker),
  );
}

/** Where strings, templates and comments stand. */
function quotedRanges(text: string): [number, number][] {
  for (const read of [parse, parseExpression]) {
    try {
      const { tokens, comments } = read(text, options) as Tokens;
      return [...(tokens ?? []), ...(comments ?? [])]
        .filter(({ type }) => typeof type === 'string' || /^(?:string|template|regexp)/.test(type.label))
        .map(({ start, end }) => [start, end]);
    } catch {
      // Not understood by this reader. The parser of the returned text reports what is wrong.
    }
  }
  return [];
}

interface Tokens {
  readonly tokens?: readonly Token[];
  readonly comments?: readonly Token[];
}

interface Token {
  readonly type: string | { readonly label: string };
  readonly start: number;
  readonly end: number;
}

const options: ParserOptions = {
  sourceType: 'unambiguous',
  errorRecovery: true,
  allowReturnOutsideFunction: true,
  plugins: ['jsx'],
  tokens: true,
};
