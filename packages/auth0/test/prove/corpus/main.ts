// The whole corpus: `npm run corpus:prove`. Exit code 1: a script that pins wrongly was called held, or one that pins was not.
import { rightCases } from './right.ts';
import { type Case, openSite } from './site.ts';
import { wrongCases } from './wrong.ts';

const AT_A_TIME = 4;
const filter = new RegExp(process.argv[2] ?? '');
const site = await openSite();
const wanted = ({ name }: Case): boolean => filter.test(name);
const wrong = wrongCases(site).filter(wanted);
const right = rightCases(site).filter(wanted);
const counts: Record<string, number> = {};
const faults: string[] = [];
const started = performance.now();
const all = [...right.map((one) => ({ one, isRight: true })), ...wrong.map((one) => ({ one, isRight: false }))];
// Every kind early: what is wrong with one of them is seen before the end.
const waiting = all.map((entry, index) => ({ ...entry, turn: (index * 89) % 373 })).sort((a, b) => a.turn - b.turn);
let done = 0;
const total = waiting.length;
const work = async (): Promise<void> => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { one, isRight } = next;
    const { finding, reasons, control } = await site.prove(one);
    const word = `${isRight ? 'right' : 'wrong'}: ${finding}`;
    counts[word] = (counts[word] ?? 0) + 1;
    const isAsItShould = control.status === 'success' && isRight === (finding === 'held');
    if (!isAsItShould) faults.push(`${word}: ${one.name}\n    ${reasons.join('\n    ')}`);
    console.log(
      `${++done}/${total} ${isAsItShould ? 'ok' : 'FAULT'} ${word}: ${one.name}${finding === 'unproved' ? ` (${reasons[0]})` : ''}`,
    );
  }
};
await Promise.all(Array.from({ length: AT_A_TIME }, work));
await site.close();
console.log(JSON.stringify(counts), `${Math.round((performance.now() - started) / 1000)} s`);
for (const fault of faults) console.log(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
