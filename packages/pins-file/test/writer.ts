// Another certpin, as far as the pins file knows it: node --import tsx writer.ts HOW FILE NAME
import { writeSync } from 'node:fs';
import { changeText, emptyText } from '../src/edit.ts';
import { changePinsFile } from '../src/store.ts';

const [how, file = '', name = ''] = process.argv.slice(2);
const pins = ['AB'.repeat(32)];
const say = (line: string): void => void writeSync(1, `${line}\n`);

async function add(target: string): Promise<void> {
  const entry = { target, pins };
  await changePinsFile(file, (document) => changeText(document?.text ?? emptyText, { add: [entry] }));
  say(target); // it is in the file: a kill from now on takes nothing back
}

switch (how) {
  case 'hold': // the lock, until it is killed
    await changePinsFile(file, () => {
      say('held');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return undefined;
    });
    break;
  case 'five': // at once, when it is told to
    say('ready');
    await new Promise((go) => process.stdin.once('data', go));
    await Promise.all([1, 2, 3, 4, 5].map((number) => add(`${name}-${number}:1`)));
    process.stdin.destroy();
    break;
  case 'ever': // one after the other, until it is killed
    for (let number = 1; ; number++) await add(`${name}-${number}:1`);
}
