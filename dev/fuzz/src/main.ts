/** Compares what certpin and OpenSSL read in hostile certificates: `npm run fuzz -- --certificates 1000000`. */
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2));
