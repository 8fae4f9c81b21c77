export { closest } from './closest.ts';
export { DAY, days } from './days.ts';
export { askEachAddress } from './each-address.ts';
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
export { type Lock, lock } from './lock.ts';
export {
  type MeasuredTarget,
  type MetricFamily,
  renderMetricFamilies,
  targetFamilies,
} from './openmetrics.ts';
export {
  type Entry,
  openPinsText,
  type PinsDocument,
  type PinsText,
  parsePinsFile,
  readEntryText,
} from './parse.ts';
export { fileErrorWords, PinsFileError } from './pins-file-error.ts';
export { findTargets, type Placed, placeArgument, placeTarget } from './place.ts';
export { plainWords } from './plain-words.ts';
export {
  type Blocked,
  begin,
  type Difference,
  endAborted,
  endsTooEarly,
  findObstacle,
  finish,
  judgeAbort,
  judgeAddressesFor,
  judgeNext,
  judgeWait,
  mayAccept,
  type Presented,
  pinsAfter,
  settlesAt,
  undeliver,
} from './rotation/machine.ts';
export {
  type Evidence,
  type FilePins,
  findRotation,
  isUnderWay,
  type NextCertificate,
  nextStepOf,
  type Rotation,
  type RotationStep,
  type StepDone,
  stepsOf,
} from './rotation/rotation.ts';
export { lockRotation, type RotationLock, readRotations, rotationsFileOf } from './rotation/rotations-file.ts';
export { hasRevoked, isSamePin, matchesPin } from './same-pin.ts';
export { parseSpan, type Span } from './span.ts';
export { changedMeanwhile, changePinsFile, followLinks, loadPinsFile, openPinsFile, readPinsText } from './store.ts';
export { type FileFormat, listsPin, type Place, type Revoked } from './version2.ts';
