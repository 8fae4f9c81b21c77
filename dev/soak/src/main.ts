/**
 * Pools under load for minutes, while their server fails, restarts, rotates its certificate and is replaced by an impostor:
 * `npm run soak -- --minutes 5`. And the watcher, while its servers change: `npm run soak -- watch --minutes 60`.
 */
import { clients } from './clients/index.ts';
import { run } from './run.ts';
import { runWatchSoak } from './watch/run.ts';

const [first, ...rest] = process.argv.slice(2);

// If the soak could not be finished, operations are still in progress. The servers notice that nobody needs them, and stop.
process.exit(await (first === 'watch' ? runWatchSoak(rest) : run(process.argv.slice(2), clients)));
