export { closest } from './closest.ts';
export { DAY, days } from './days.ts';
export { type Changes, changeText, type EntryChange, emptyText, type NewEntry, type NewRevoked } from './edit.ts';
export {
  type Answer,
  findRevoked,
  type Judged,
  type JudgedAddress,
  judge,
  judgeAddresses,
  nearEnd,
  outcomeOf,
  type Remark,
  type Status,
  statuses,
} from './judge.ts';
export { type Entry, type PinsDocument, parsePinsFile } from './parse.ts';
export { fileErrorWords, PinsFileError } from './pins-file-error.ts';
export { findTargets, type Placed, placeArgument, placeTarget } from './place.ts';
export { parseSpan, type Span } from './span.ts';
export { changedMeanwhile, changePinsFile, loadPinsFile, openPinsFile } from './store.ts';
export { listsPin, type Revoked } from './version2.ts';
