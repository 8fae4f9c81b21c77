import { isSupported } from 'certpin/driver-tls';
import { pinnedMongodb, pinnedMongodbForward } from 'certpin/mongodb';
import { MongoClient } from '../../../../packages/certpin/test/drivers.ts';
import { expectCanary, nodeErrors, type SoakClient, type SoakPool } from '../client.ts';

/** A refusal is reported when this time is over. */
const SELECTION_LIMIT_MS = 2_000;
/** Without this limit, some operations never end after their connection was broken, with or without certpin. */
const OPERATION_LIMIT_MS = 6_000;
/** With the driver's default of ten seconds, it notices too late for its operations that a server is back, with or without certpin. */
const LOOK_EVERY_MS = 500;

const ofDriver = [
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoPoolClearedError',
  'MongoWaitQueueTimeoutError',
];

/** Through an end if this Node does not announce the driver's own connections. */
export const mongodb: SoakClient = {
  name: 'mongodb',
  server: 'mongodb',
  // If all connections of a pool of 50 were broken, the pool gives none out for many seconds. That is so with the driver's own TLS and `ca`
  // too (6.22).
  mostConnections: 5,
  connectionErrors: [...nodeErrors, ...ofDriver],
  open: ({ host, port, login }, pins, connections) => {
    const url = `mongodb://${login.user}:${login.password}@${host}:${port}/?authSource=admin`;
    const options = {
      maxPoolSize: connections,
      serverSelectionTimeoutMS: SELECTION_LIMIT_MS,
      heartbeatFrequencyMS: LOOK_EVERY_MS,
      socketTimeoutMS: OPERATION_LIMIT_MS,
      waitQueueTimeoutMS: OPERATION_LIMIT_MS,
    };
    if (isSupported()) return poolOn(new MongoClient(...pinnedMongodb(url, { pins }, options)));
    const end = pinnedMongodbForward(url, { pins }, options);
    const pool = end.then(({ args }) => poolOn(new MongoClient(...args)));
    return {
      exchange: async () => {
        const [{ exchange }, forwarded] = [await pool, await end];
        const before = forwarded.lastError;
        await exchange().catch((error: unknown) => {
          // The driver keeps only the text of a refusal.
          throw forwarded.lastError === before ? error : forwarded.lastError;
        });
      },
      close: async () => {
        await (await pool).close();
        await (await end).close();
      },
    };
  },
};

function poolOn(client: MongoClient): SoakPool {
  return {
    exchange: async () => {
      const documents = client.db().aggregate([{ $documents: [{ answer: 'canary' }] }]);
      const [document] = await documents.toArray().catch(throwReason);
      expectCanary(document?.answer);
    },
    close: () => client.close(),
  };
}

/** The driver's own errors have no code, and their texts contain addresses. */
function throwReason(error: Error): never {
  if (error.cause instanceof Error) return throwReason(error.cause);
  throw 'code' in error ? error : new Error(error.name, { cause: error });
}
