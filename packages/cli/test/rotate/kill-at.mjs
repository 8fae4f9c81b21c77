// Loaded before certpin: the process kills itself, as `kill -9` does, right behind its change number CERTPIN_KILL_AT of a file. From outside it
// would be a matter of time where the kill arrives. With CERTPIN_KILL_IN, only changes in that folder count: the loader of a test writes files
// too. A parent process hears of each change.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { CERTPIN_KILL_AT, CERTPIN_KILL_IN: folder } = process.env;
const descriptors = new Set();
let left = Number(CERTPIN_KILL_AT);

const isMeant = (place) => {
  if (place === 1 || place === 2) return false;
  return (
    folder === undefined || (typeof place === 'number' ? descriptors.has(place) : String(place).startsWith(folder))
  );
};

const changes = ['mkdirSync', 'openSync', 'renameSync', 'rmSync', 'writeFileSync', 'writeSync'];

for (const name of [...changes, 'fchmodSync', 'fchownSync', 'fsyncSync']) {
  const real = fs[name];
  fs[name] = (...given) => {
    const [place, flags] = given;
    const result = real(...given);
    if (name === 'openSync') {
      if (isMeant(place)) descriptors.add(result);
      else descriptors.delete(result); // a number of an earlier file
    }
    if (!isMeant(place) || (name === 'openSync' && flags === 'r')) return result;
    process.send?.(name);
    if (--left === 0) process.kill(process.pid, 'SIGKILL');
    return result;
  };
}
syncBuiltinESMExports();
