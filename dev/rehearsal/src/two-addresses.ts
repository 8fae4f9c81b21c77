import { mint } from '@certpin/testkit';
import { startMysqlRelay } from '@certpin/testkit/mariadb';
import { startPostgresRelay } from '@certpin/testkit/postgres';
import type { Stage } from './act.ts';
import { type Drill, type DrillOptions, expectPins } from './drill.ts';

type Front = Awaited<ReturnType<typeof startPostgresRelay>>;

const addresses = ['127.0.0.1', '127.0.0.2'];

/** By the id of the database: the server at the second address. */
const fronts = new Map<string, Front>();

/** At the second address is another server, with its own certificate, in front of the same database. Containers use either address. */
async function openSecondAddress({ databases }: Stage): Promise<DrillOptions> {
  for (const { id, port, name } of databases) {
    const options = { host: '127.0.0.2', port, certificate: await mint(), upstream: { host: '127.0.0.1', port } };
    fronts.set(id, await (name === 'PostgreSQL' ? startPostgresRelay(options) : startMysqlRelay(options)));
  }
  return {
    hosts: addresses,
    targetOf: ({ target }) => target.replace('127.0.0.1', 'localhost'),
    lookup: (_name, { all, family }, done) => {
      const known = family === 6 ? [] : addresses.map((address) => ({ address, family: 4 }));
      if (all) done(null, known);
      else done(null, known[0]?.address ?? '', 4);
    },
    onOpen: ({ database, old }) => fronts.get(database.id)?.present(old),
    close: async () => {
      await Promise.all([...fronts.values()].map((front) => front.close()));
      fronts.clear();
    },
  };
}

export const twoAddresses: Drill = {
  name: 'forgotten-address',
  title: 'one of two addresses forgotten',
  about:
    'the name of the server has two addresses, with a server at each. One of them is swapped. Containers log in at either.',
  options: openSecondAddress,
  run: async (drilled) => {
    const { database, leader, next, old, hold, leadTo, expect, expectRefusal } = drilled;
    const front = fronts.get(database.id);
    const before = front?.handshakes() ?? 0;
    await leadTo('swapped'); // at the first address
    await hold();
    expectRefusal(await leader.next(), /127\.0\.0\.2: it presents/);
    expectPins(drilled, old, next);
    front?.present(next);
    await hold();
    await leadTo('retired');
    expectPins(drilled, next);
    expect((front?.handshakes() ?? 0) > before, `${database.name}: nobody came to the second address`);
    return '"verified" is refused, and names the address';
  },
};
