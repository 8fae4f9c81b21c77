import { type ParserOptions, parse } from '@babel/parser';

/** What a text is that is no script of the platform, and what to do about it. */
export interface OtherLanguage {
  readonly what: string;
  readonly hint: string;
}

/** Looked at where a text cannot be read as a script; undefined: it is none of these, and the parser's words are the best there are. */
export function otherLanguage(text: string): OtherLanguage | undefined {
  if (isJson(text))
    return {
      what: 'it is JSON, and no script',
      hint: 'name the script itself: login.js, get_user.js, actions/NAME/code.js',
    };
  const isRead = (options: ParserOptions): boolean => {
    try {
      parse(text, { allowReturnOutsideFunction: true, ...options });
      return true;
    } catch {
      return false;
    }
  };
  if (isRead({ sourceType: 'module' }))
    return {
      what: 'it is an ES module, and the platform takes CommonJS',
      hint: 'write require() for import, and exports.NAME = for export',
    };
  if (isRead({ sourceType: 'unambiguous', plugins: ['typescript'] }))
    return {
      what: 'it is TypeScript, and the platform takes JavaScript',
      hint: 'compile it first, and name what comes out',
    };
  return undefined;
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}
