// The accident this prevents: test files that run at the same time each find that a server, or a Node, is missing, and install it at once.
import { nodeOf } from '../../packages/auth0/test/nodes.ts';
import { requirePackage } from '../testkit/src/debian.ts';
import { requireTenantClients } from './tenant-clients.ts';

for (const [name, program] of [
  ['mariadb-server', 'mariadbd'],
  ['tinyproxy-bin', 'tinyproxy'],
  ['redis-server', 'redis-server'],
  ['slapd', 'slapd'],
  ['freetds-bin', 'tsql'],
  ['chromium', 'chromium'],
  ['prometheus-alertmanager', 'prometheus-alertmanager'],
] as const) {
  try {
    console.log(`${program}: ${requirePackage(name, program)}`);
  } catch (error) {
    // Everything that is missing is reported at once.
    console.error(`test:servers: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

for (const major of [18, 22] as const) {
  try {
    console.log(`Node ${major}: ${nodeOf(major)}`);
  } catch (error) {
    console.error(`test:servers: Node ${major} of dev/tools/nodes cannot be installed: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

try {
  console.log(`Auth0's clients: ${requireTenantClients().deployCli}`);
} catch (error) {
  console.error(`test:servers: dev/tools/tenant-clients cannot be installed: ${(error as Error).message}`);
  process.exitCode = 1;
}
