/** What certpin reads in hostile certificates, beside what OpenSSL reads in them: `npm run fuzz -- --certificates 1000000`. */
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2));
