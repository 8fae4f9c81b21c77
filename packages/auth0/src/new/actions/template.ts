import type { ActionTrigger } from '../options.ts';

/** What the handler of an Action is written with. */
interface ActionWords {
  /** A statement with `?` for its values, quoted, in the driver's spelling. */
  readonly sql: (statement: string) => string;
  /** The words for the end user when the server cannot be reached. */
  readonly unavailable: string;
}

/** An Action: one file for each trigger. */
export interface ActionTemplate {
  readonly trigger: ActionTrigger;
  readonly version: string;
  readonly handler: string;
  /** What it does, for the head of the script. */
  readonly purpose: string;
  /** What an API has to answer, in words. */
  readonly api: string;
  /** The table that a database has to have, in words. */
  readonly table?: string;
  readonly top?: string;
  readonly http: (words: ActionWords) => string;
  /** undefined: a database does not help here. */
  readonly sql?: (words: ActionWords) => string;
  readonly sqlNeed?: 'select' | 'change';
  /** undefined: a directory does not help here. */
  readonly directory?: (words: ActionWords) => string;
  readonly directoryNeed?: 'findPerson' | 'findRoles';
}

export const namespace = `// Custom claims need a namespace: a URL of your own.
const NAMESPACE = 'https://example.com';`;

/** The handler: what it does, and what happens after a failure. It never throws. */
export function handler(name: string, parameters: string, work: string, failure: string): string {
  const inner = (text: string): string => text.replace(/^(?=.)/gm, '    ');
  return `exports.${name} = async (${parameters}) => {
  try {
${inner(work)}
  } catch (error) {
${inner(`report(error);${failure === '' ? '' : `\n${failure}`}`)}
  }
};`;
}
