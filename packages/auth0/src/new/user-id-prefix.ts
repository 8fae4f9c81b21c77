/** The line in the head of every script of a set. A later run reads the prefix from it. */
export function userIdLine(prefix: string): string {
  return prefix === ''
    ? 'user_id: the id of the table, without a prefix.'
    : `user_id: '${prefix}' and the id of the table.`;
}

const LINE = /\buser_id: (?:the id of the table, without a prefix\.|'([\x21-\x7e]+)' and the id of the table\.)/g;

/** A long prefix breaks the line of the comment, before or after it. */
const BREAK = / *\r?\n[ \t]*\/\/ (?=\S)/g;

/**
 * The prefixes of `user_id` in scripts that `createScripts` wrote.
 *
 * @param text a script, or a file with several. `''` in the result means that there is no prefix
 * @returns each prefix once. More than one: the scripts do not belong together
 */
export function readUserIdPrefixes(text: string): readonly string[] {
  return [...new Set([...text.replace(BREAK, ' ').matchAll(LINE)].map(([, prefix = '']) => prefix))];
}
