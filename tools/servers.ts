// The accident this prevents: test files that run side by side each find a server missing, and install it at the same time.
import { requirePackage } from '../testkit/src/debian.ts';

for (const [name, program] of [
  ['mariadb-server', 'mariadbd'],
  ['tinyproxy-bin', 'tinyproxy'],
] as const) {
  console.log(`${program}: ${requirePackage(name, program)}`);
}
