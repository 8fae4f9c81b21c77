/** Rotations under load: `npm run rehearsal`, or one of its acts: `npm run rehearsal -- leaked`. */
import { run } from './run.ts';

// An act that was stopped leaves a tenant and containers behind. The containers end with this process.
process.exit(await run(process.argv.slice(2)));
