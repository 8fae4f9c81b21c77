/**
 * Pools under load for minutes, while their server fails, restarts, rotates its certificate and is replaced by an impostor:
 * `npm run soak -- --minutes 5`.
 */
import { clients } from './clients/index.ts';
import { run } from './run.ts';

// If the soak could not be finished, operations are still in progress. The servers notice that nobody needs them, and stop.
process.exit(await run(process.argv.slice(2), clients));
