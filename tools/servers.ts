// The accident this prevents: test files that run side by side each find a server missing, and install it at the same time.
import { requirePackage } from '../testkit/src/debian.ts';

for (const [name, program] of [
  ['mariadb-server', 'mariadbd'],
  ['tinyproxy-bin', 'tinyproxy'],
] as const) {
  try {
    console.log(`${program}: ${requirePackage(name, program)}`);
  } catch (error) {
    // All that is missing is said at once.
    console.error(`test:servers: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
