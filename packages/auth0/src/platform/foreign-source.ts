import { type ParserOptions, parse, parseExpression } from '@babel/parser';

const typescript: ParserOptions = {
  sourceType: 'unambiguous',
  allowReturnOutsideFunction: true,
  plugins: ['typescript', 'decorators-legacy'],
};

/**
 * What a source is, if no parser accepts it as JavaScript. The parser only says `Unexpected token`. That does not help if somebody gives a
 * configuration, or a script that must still be compiled. undefined: not known.
 */
export function foreignLanguage(text: string): 'JSON' | 'TypeScript' | undefined {
  if (isJson(text)) return 'JSON';
  for (const read of [parse, parseExpression]) {
    if (reads(read, text, { ...typescript, plugins: [] })) return undefined;
    if (reads(read, text, typescript)) return 'TypeScript';
  }
  return undefined;
}

function reads(read: (text: string, options: ParserOptions) => unknown, text: string, options: ParserOptions): boolean {
  try {
    read(text, options);
    return true;
  } catch {
    return false;
  }
}

function isJson(text: string): boolean {
  if (!/^\s*[[{"]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
