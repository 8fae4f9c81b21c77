import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { mint } from '@certpin/testkit';
import { type Postgres, startPostgres } from '@certpin/testkit/postgres';
import { openPostgresStore } from '../../src/store/postgres.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { contract, NOW, type Open } from './contract.ts';
import { createDatabase } from './database.ts';

let postgres: Postgres;
before(async () => {
  postgres = await startPostgres({ certificate: await mint() });
});
after(() => postgres.stop());

const stores: Readonly<Record<string, Open>> = {
  sqlite: async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'certpin-store-'));
    const store = openSqliteStore(join(folder, 'watch.db'), { watches: true, now: () => NOW });
    t.after(async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    });
    return store;
  },
  postgres: async (t) => {
    const store = await openPostgresStore(await createDatabase(postgres), {
      watches: true,
      name: 'store',
      now: () => NOW,
    });
    t.after(() => store.close());
    return store;
  },
};

for (const [name, open] of Object.entries(stores)) {
  for (const [title, run] of Object.entries(contract)) test(`${name}: ${title}`, (t) => run(t, open));
}
