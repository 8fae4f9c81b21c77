// Loaded before certpin: the process kills itself, as `kill -9` does, right behind its change number CERTPIN_KILL_AT of a file. From outside it
// would be a matter of time where the kill arrives.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

let left = Number(process.env.CERTPIN_KILL_AT);

for (const name of ['mkdirSync', 'openSync', 'renameSync', 'rmSync', 'writeFileSync', 'writeSync']) {
  const real = fs[name];
  fs[name] = (...given) => {
    const result = real(...given);
    const isNone = name === 'openSync' ? given[1] === 'r' : given[0] === 1 || given[0] === 2;
    if (!isNone && --left === 0) process.kill(process.pid, 'SIGKILL');
    return result;
  };
}
syncBuiltinESMExports();
