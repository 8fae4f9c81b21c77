/**
 * Whether the tests run in their long form: `npm run test:long`. `npm test` has to end in time on a small machine, so it takes a sample of each
 * large table of cases.
 */
export const isLong = process.env.CERTPIN_LONG === '1';

/** Options of a test that runs only in the long form. The report of `npm test` names it as skipped, with the command. */
export const longOnly = { skip: isLong ? false : 'only in: npm run test:long' };

/** All cases in the long form, and the named ones otherwise. @throws where a name is not among them */
export function sampleOf<Case>(cases: Readonly<Record<string, Case>>, ...names: readonly string[]): [string, Case][] {
  const unknown = names.filter((name) => !(name in cases));
  if (unknown.length > 0) throw new Error(`no such case: ${unknown.join(', ')}`);
  return Object.entries(cases).filter(([name]) => isLong || names.includes(name));
}
