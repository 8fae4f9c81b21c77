import { words } from '../known/words.ts';

/** Names of members through which everything can be reached: prototypes, `Function`, the callers of a function. */
export const REACHING: ReadonlySet<string> = words(
  '__proto__ constructor prototype __defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__ caller callee arguments',
);
