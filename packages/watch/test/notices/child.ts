// A watcher's sender in a process of its own, so that it can be killed: node child.ts STORE URL AHEAD

import { createReceivers } from '../../src/notices/create-receivers.ts';
import { createNotices } from '../../src/notices/notices.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';

const [store = '', url = '', ahead = '0'] = process.argv.slice(2);
// Time has passed since the last one was killed: its lease is over.
const { now } = Date;
Date.now = () => now() + Number(ahead);

const settings = [{ name: 'ops', kind: 'webhook', url, secret: { env: 'SECRET' } }] as const;
const readSecret = (): string => process.env.SECRET ?? '';
const receivers = await createReceivers(settings, { source: 'urn:certpin:watch:host', readSecret });
const opened = openSqliteStore(store, { watches: true });
const notices = createNotices({ store: opened, receivers, settings, log: () => undefined });
process.stdout.write('ready\n');
await notices.flush(new AbortController().signal);
await opened.close();
