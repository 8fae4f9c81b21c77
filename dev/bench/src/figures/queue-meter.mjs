// Loaded before certpin: at SIGUSR2 it writes to file descriptor 3 what the process took until then, and how long its queries of pg-boss took.
import { writeSync } from 'node:fs';
import pg from 'pg';

let queueMs = 0;
let queries = 0;
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function (...given) {
  const text = typeof given[0] === 'string' ? given[0] : given[0]?.text;
  if (!String(text).includes('certpin_queue')) return query.apply(this, given);
  const begun = performance.now();
  const end = () => {
    queueMs += performance.now() - begun;
    queries++;
  };
  const last = given.length - 1;
  if (typeof given[last] === 'function') {
    const done = given[last];
    given[last] = (...values) => {
      end();
      done(...values);
    };
    return query.apply(this, given);
  }
  const answer = query.apply(this, given);
  answer?.then?.(end, end);
  return answer;
};

process.on('SIGUSR2', () => {
  const { user, system } = process.cpuUsage();
  const { maxRSS } = process.resourceUsage();
  writeSync(
    3,
    `${JSON.stringify({ cpuSeconds: (user + system) / 1e6, queueSeconds: queueMs / 1e3, queries, megabytes: maxRSS / 1024 })}\n`,
  );
});
