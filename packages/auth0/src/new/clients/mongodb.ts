import { type Frame, pinnedName } from '../frame.ts';
import { quoted } from '../text.ts';
import type { DocumentPieces, Need } from './client.ts';
import { keptFunction } from './keep.ts';
import { databasePlace, databaseSettings, withinFunction } from './sql.ts';

const binding = 'const { MongoClient } = ';

export const mongodb: DocumentPieces = {
  title: 'MongoDB',
  settings: databaseSettings,
  binding,
  isOtherError: 'error.code !== 11000',
  ownId: '_id',
  reported: 'causeOf(error)',
  functions: (frame, needs) => [
    ...needs.flatMap((need) => functions[need] ?? []),
    causeOf,
    withUsers(frame),
    getClient(frame),
    withinFunction,
  ],
};

const functions: Readonly<Partial<Record<Need, string>>> = {
  find: `async function find(filter) {
  return withUsers((users) => users.findOne(filter));
}`,
  insert: `async function insert(document) {
  await withUsers((users) => users.insertOne(document));
}`,
  update: `async function update(filter, fields) {
  const { matchedCount } = await withUsers((users) => users.updateOne(filter, { $set: fields }));
  return matchedCount > 0;
}`,
  remove: `async function remove(filter) {
  await withUsers((users) => users.deleteOne(filter));
}`,
};

const causeOf = `// The driver keeps the error of a server in its own, by the server.
function causeOf(error) {
  const [server] = error.reason ? error.reason.servers.values() : [];
  return (server && server.error && server.error.cause) || error.cause || error;
}`;

const withUsers = ({ plan }: Frame): string => `async function withUsers(work) {
  const { DB_NAME } = readSettings();
  const client = getClient();
  try {
    return await within(8000, work(client.db(DB_NAME).collection(${quoted(plan.table)})));
  } catch (error) {
    // A client that has found no server cannot be used again: the next run makes another one.
    if (error.reason) {
      for (const known of Object.values(global.certpinKept)) {
        if (known.client === client) known.key = undefined;
      }
    }
    throw error;
  }
}`;

function getClient(frame: Frame): string {
  return keptFunction(
    {
      ...{ name: 'getClient', what: 'client', settings: databaseSettings, place: databasePlace('mongodb') },
      secrets: ['DB_PASSWORD', 'DB_PINS'],
      required: [binding, 'mongodb'],
      make: `// The user is one of the database admin. A connection that is refused is an error after 3 s.
const [url, options] = ${pinnedName(frame)}(
  \`mongodb://\${DB_HOST}:\${DB_PORT}/\`,
  { pins: DB_PINS, connectTimeoutMs: 2500 },
  {
    auth: { username: DB_USER, password: DB_PASSWORD },
    authSource: 'admin',
    maxPoolSize: 5,
    connectTimeoutMS: 5000,
    serverSelectionTimeoutMS: 3000,
  },
);
const client = new MongoClient(url, options);`,
      end: 'if (known) known.client.close().catch(() => {});',
    },
    frame,
  );
}
