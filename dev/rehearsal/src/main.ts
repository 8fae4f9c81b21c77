/** Rotations under load: `npm run rehearsal`, or one of its acts: `npm run rehearsal -- leaked`. */
import { run } from './run.ts';

// An act that broke off leaves a tenant and containers behind; the containers end with this process.
process.exit(await run(process.argv.slice(2)));
