// A worker in a process of its own, which a test ends as it likes.
import { readConfig } from '../../src/config/read-config.ts';
import { createLog } from '../../src/log.ts';
import { watchAsWorker } from '../../src/workers/worker.ts';

const [config = ''] = process.argv.slice(2);
const log = createLog((line) => process.stdout.write(line));
const { signal: stop } = new AbortController();
await watchAsWorker(readConfig({ config }), { log, version: '0.0.0', stop, env: process.env });
