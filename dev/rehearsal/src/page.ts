import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { svgOf } from './chart.ts';
import { drills } from './drills.ts';
import type { Played, Rehearsal } from './play.ts';
import { cellsOf, heads, thousands } from './report.ts';

const docs = fileURLToPath(new URL('../../../docs/reference/', import.meta.url));

/** Writes docs/reference/rotation-rehearsal.md and its chart from a whole run. */
export function writePage(rehearsal: Rehearsal): void {
  mkdirSync(`${docs}rotation-rehearsal`, { recursive: true });
  writeFileSync(`${docs}rotation-rehearsal/course.svg`, courseOf(rehearsal));
  writeFileSync(`${docs}rotation-rehearsal.md`, pageOf(rehearsal));
}

function courseOf({ played: { rotation, recipe } }: Rehearsal): string {
  return svgOf([
    { title: 'certpin rotate: logins per second, over both databases', played: rotation ?? nothing },
    { title: 'edit the script', played: recipe ?? nothing },
  ]);
}

const nothing: Played = { rows: [], faults: [], seconds: [], marks: [] };

export function pageOf({ played, seconds, sessions, scale }: Rehearsal): string {
  const cores = cpus();
  const machine = `${cores.length} cores (${cores[0]?.model.trim() || 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${process.platform}, Node ${process.versions.node}`;
  const rows = Object.values(played).flatMap((act) => act.rows);
  const logins = rows.reduce((sum, row) => sum + row.logins, 0);
  const taken = Object.entries(sessions).map(([name, count]) => `${name} let in ${thousands(count)} connections`);
  return `${[
    '# A rotation, rehearsed',
    '',
    'Written by the rehearsal from a whole run: `npm run rehearsal -- --write`. One act is rehearsed with `npm run rehearsal -- leaked`, `--json`',
    'prints the figures, and `--quick` makes it short.',
    '',
    `This run: ${thousands(logins)} logins in ${Math.round(seconds / 60)} minutes; ${taken.join(', ')}. ${machine}.`,
    '',
    '- **Servers**: a real PostgreSQL and a real MariaDB. They take the next certificate by the commands that certpin prints.',
    '- **Scripts**: `login` as `certpin auth0 new` writes it, for `pg` and `mysql2`.',
    `- **Tenant**: the fake one of our tests. Each connection has ${scale.containers} containers, real processes of Node 22. After ${scale.loginsEach} logins a cold one takes the place of a warm one.`,
    `- **The wait**: after a write, old containers are replaced within ${scale.livesMs / 1000} s, and \`--settle\` is ${scale.settleSeconds} s. In the drills it is ${scale.drillLivesMs / 1000} s and ${scale.drillSettleSeconds} s. At Auth0 nobody knows how long containers live: certpin waits for 24 h there.`,
    `- **Containers that outlive the wait**: ${scale.outliers} of ${scale.containers}, in the first two acts. They live on with the old pins and refuse the next certificate. Their failures have a column of their own: in this run, no wait would be long enough for them.`,
    `- **Connections**: about every ${scale.refreshMs / 1000} s the servers end all of them, between two logins. A pool would go on with the old certificate and hide what a new connection meets.`,
    '- **Outage**: the time from the begin of the first failed login to the end of the last one, over that database.',
    '',
    `| ${heads.map((head) => head || 'act').join(' | ')} |`,
    `|${heads.map(() => '---|').join('')}`,
    ...rows.map((row) => `| ${cellsOf(row).join(' | ')} |`),
    '',
    '![Logins per second, while a certificate is rotated](rotation-rehearsal/course.svg)',
    '',
    '"edit the script" is the recipe of Auth0\'s article: one fingerprint, which somebody changes when the certificate changes. Here nobody could be quicker: the new fingerprint is in the tenant in',
    'the same second as the new certificate. Logins fail all the same, until the last container with the old fingerprint is replaced. Here that is soon: logins that fail at once use up the',
    `${scale.loginsEach} logins of a container. The scripts are ours, with one pin: those of the article let nobody in at a server with a self-signed certificate ([why](auth0-prove.md)).`,
    '',
    '## The drills',
    '',
    ...drills.map(({ title, about }) => `- **${title}**: ${about}`),
    '',
  ]
    .join('\n')
    .trim()}\n`;
}
