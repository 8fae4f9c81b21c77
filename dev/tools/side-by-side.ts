// Runs scripts of package.json that do not depend on each other at the same time: a check uses one core, and tests wait for servers.
//
//   node --import tsx dev/tools/side-by-side.ts lint types
import { exec } from 'node:child_process';

const names = process.argv.slice(2);
const MOST_OUTPUT = 256 * 1024 * 1024;

/** Its output comes in one piece, when it has ended. */
function runScript(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    exec(`npm run --silent ${name}`, { maxBuffer: MOST_OUTPUT }, (error, stdout, stderr) => {
      process.stdout.write(`\n${stdout}${stderr}\n${name}: ${error === null ? 'passed' : 'FAILED'}\n`);
      resolve(error === null);
    });
  });
}

console.log(`side by side: ${names.join(', ')}`);
const passed = await Promise.all(names.map(runScript));
process.exitCode = passed.length > 0 && passed.every(Boolean) ? 0 : 1;
