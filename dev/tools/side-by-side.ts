// Runs scripts of package.json that do not depend on each other at the same time: a check uses one core, and tests wait for servers. Each line
// has its script in front. The end names the scripts that failed, and their tests: people look at the end of a long log first.
//
//   node --import tsx dev/tools/side-by-side.ts lint types
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const names = process.argv.slice(2);
/** Of a script that names no test. */
const LAST_LINES = 20;

interface Result {
  readonly name: string;
  readonly hasPassed: boolean;
  /** How it ended, for people. */
  readonly end: string;
  readonly lines: readonly string[];
}

async function runScript(name: string): Promise<Result> {
  const begun = performance.now();
  const child = spawn('npm', ['run', '--silent', name], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const read = [child.stdout, child.stderr].map((input) => {
    const reader = createInterface({ input }).on('line', (line) => {
      lines.push(line);
      console.log(`${name}| ${line}`);
    });
    return once(reader, 'close');
  });
  const [[code, signal]] = await Promise.all([once(child, 'close'), ...read]);
  const how = code === 0 ? 'passed' : `FAILED (${signal ?? `exit code ${code}`})`;
  const end = `${name}: ${how} after ${Math.round((performance.now() - begun) / 1000)} s`;
  console.log(end);
  return { name, hasPassed: code === 0, end, lines };
}

/** What has failed: tests, as Node's reporter `spec` and dev/tools/nodes.ts name them. */
function failuresOf(lines: readonly string[]): readonly string[] {
  const found = lines.flatMap((line, index) => {
    if (line.startsWith('FAILED: ')) return [line];
    const [, place] = /^test at (.+)$/.exec(line) ?? [];
    return place === undefined ? [] : [`${place} ${lines[index + 1] ?? ''}`];
  });
  return found.length > 0 ? found : lines.filter((line) => line.trim() !== '').slice(-LAST_LINES);
}

console.log(`side by side: ${names.join(', ')}`);
const results = await Promise.all(names.map(runScript));
console.log('');
for (const { end, hasPassed, lines } of results) {
  console.log(end);
  if (!hasPassed) for (const failure of failuresOf(lines)) console.log(`  ${failure}`);
}
process.exitCode = results.length > 0 && results.every(({ hasPassed }) => hasPassed) ? 0 : 1;
