import { mongodbClient } from '@certpin/testkit/clients';
import type { SuiteAdapter, SuiteTarget } from '@certpin/testkit/conformance';
import { pinnedMongodb, pinnedMongodbForward } from 'certpin/mongodb';
import { MongoClient } from 'mongodb';

type NamedClient = Omit<SuiteAdapter, 'startServer'>;

/** Who logs in at the suite's servers. */
export const mongodbLogin = { user: 'login', password: 'certpin' };

/** The driver tells of a refusal when its time to select a server is over. */
const quick = { serverSelectionTimeoutMS: 400 };

const urlOf = ({ host, port }: SuiteTarget): string =>
  `mongodb://${mongodbLogin.user}:${mongodbLogin.password}@${host}:${port}/?authSource=admin`;

/** The driver of MongoDB, on both ways. */
export const mongodbClients = (seen: Pick<NamedClient, 'cannot' | 'notOnThisNode'>): readonly NamedClient[] => [
  {
    ...seen,
    name: 'mongodb',
    protocol: 'tls',
    pools: true,
    cannot: { ...seen.cannot, 'host header': 'its protocol has no Host header' },
    createClient: (target, policy, { ca, ...tls }) => {
      const [url, options] = pinnedMongodb(urlOf(target), policy, { ...quick, ...tls });
      // A CA that somebody adds tempts the ordinary verification.
      const tempted = { ...options, ...(ca === undefined ? {} : { ca }) };
      return mongodbClient(() => new MongoClient(url, tempted));
    },
  },
  {
    name: 'mongodb, forwarded',
    protocol: 'tls',
    pools: true,
    cannot: {
      'host header': 'its protocol has no Host header',
      'own sessions': 'the first connection is one that watches the server, so every other one is resumed',
    },
    createClient: (target, policy, tls) => {
      const made = pinnedMongodbForward(urlOf(target), policy, { ...quick, ...tls });
      const opened = made.then((pinned) => mongodbClient(() => new MongoClient(...pinned.args)));
      return {
        exchange: async () => {
          try {
            await (await opened).exchange();
          } catch (cause) {
            // The driver keeps the text alone.
            throw new Error('refused', { cause: (await made).lastError ?? cause });
          }
        },
        reconnect: async () => (await opened).reconnect(),
        close: async () => {
          await (await opened).close();
          await (await made).close();
        },
      };
    },
  },
];
