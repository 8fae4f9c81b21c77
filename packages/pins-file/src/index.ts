export { closest } from './closest.ts';
export { DAY, days } from './days.ts';
export { addEntry, addPin, createText, type NewEntry, replacePins } from './edit.ts';
export { type Answer, type Judged, type JudgedAddress, judge, judgeAddresses, type Status, statuses } from './judge.ts';
export { type Entry, type PinsDocument, parsePinsFile } from './parse.ts';
export { fileErrorWords, PinsFileError } from './pins-file-error.ts';
export { findTargets, type Placed, placeArgument, placeTarget } from './place.ts';
export { changedMeanwhile, changePinsFile, loadPinsFile, openPinsFile } from './store.ts';
