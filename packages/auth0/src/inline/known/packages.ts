import { isNodeGlobal } from './globals.ts';
import { isNodeModule } from './modules.ts';
import { words } from './words.ts';

/** Whether it belongs to a package, which old platforms have as a global too. */
export function isPackage(isModule: boolean, [root = '']: readonly string[]): boolean {
  return isModule ? !isNodeModule(root) : !isNodeGlobal(root);
}

/** Packages that write deep into their arguments, or make code from text. */
const WRITERS = /^(?:lodash|underscore|_)$/;
const UNCLEAR_IN_WRITERS = words(`
  template runInContext mixin setWith update updateWith zipObjectDeep merge mergeWith defaultsDeep bindAll create wrap
  templateSettings prototype chain`);

/** Whether the use of a package, or of a member of one, is understood. */
export function isUnderstoodOfPackage([root = '', member = '']: readonly string[]): boolean {
  return !WRITERS.test(root) || !UNCLEAR_IN_WRITERS.has(member);
}

/** Packages, and members of packages, that write into their first argument, after their names. */
export function writesIntoFirst(path: readonly string[]): boolean {
  return /(?:^|[^a-z])(?:set|assign(?:in)?|(?:extend|merge|default|mixin)\w*|patch|shim|stub|mock|rewire)(?:$|[^a-z])/i.test(
    path.join('.'),
  );
}
