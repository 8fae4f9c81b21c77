import { invalidTarget } from './invalid-target.ts';

/** Quotation marks that people and their word processors put around a text. The second one of each pair ends it. */
const QUOTED = /^(?:"(.*)"|'(.*)'|`(.*)`|[“„](.*)[”“]|[‘‚](.*)[’‘]|«(.*)»|»(.*)«|‹(.*)›)$/s;

/** Whether a quotation mark stands at one end. Only then it matters whether there is a file of that very name. */
export function isMarked(text: string): boolean {
  return /^["'`“„‘‚«»‹]|["'`”“’‘»«›]$/.test(text);
}

/**
 * The text without the quotation marks around it, which came along from a file or a page.
 *
 * @throws CertpinError `ERR_TARGET_INVALID` if there is only one of the two
 */
export function unquoted(text: string): string {
  const inner = QUOTED.exec(text)
    ?.slice(1)
    .find((one) => one !== undefined);
  if (inner !== undefined) return inner.trim();
  // The last value of a connection string may end with a quotation mark.
  if (/^["'`“„‘‚«»‹]/.test(text) || (!text.includes('=') && /["'`”“’‘»«›]$/.test(text)))
    throw invalidTarget('it has a quotation mark at one end only: remove it');
  return text;
}
