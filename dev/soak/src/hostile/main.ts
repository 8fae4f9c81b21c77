/** Thousands of connections to hostile servers, for each client: `npm run hostile -- --client pg --connections 10000 --node PATH`. */
import { run } from './run.ts';

process.exit(await run(process.argv.slice(2)));
