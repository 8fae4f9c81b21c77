// The accident this prevents: test files that run side by side each find a server missing, and install it at the same time.
import { requireMariadb } from '../testkit/src/mariadb.ts';

console.log(`MariaDB: ${requireMariadb()}`);
