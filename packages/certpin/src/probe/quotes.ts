import { invalidTarget } from './invalid-target.ts';

/** What people and their word processors put around a text; the second is what ends it. */
const QUOTED = /^(?:"(.*)"|'(.*)'|`(.*)`|[“„](.*)[”“]|[‘‚](.*)[’‘]|«(.*)»|»(.*)«|‹(.*)›)$/s;

/**
 * The text without quotation marks around it, which came along from a file or from a page.
 *
 * @throws CertpinError `ERR_TARGET_INVALID` where only one of the two is there
 */
export function unquoted(text: string): string {
  const inner = QUOTED.exec(text)
    ?.slice(1)
    .find((one) => one !== undefined);
  if (inner !== undefined) return inner.trim();
  // The last value of a connection string may end with one.
  if (/^["'`“„‘‚«»‹]/.test(text) || (!text.includes('=') && /["'`”“’‘»«›]$/.test(text)))
    throw invalidTarget('it has a quotation mark at one end: leave it out');
  return text;
}
