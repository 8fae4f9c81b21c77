import { createServer, type TLSSocket } from 'node:tls';
import { type Document, Long } from 'bson';
import { authenticationFailed, type MongodbLogin, startScram } from './mongodb-scram.ts';
import { serveMongodb } from './mongodb-wire.ts';
import { type CountingServer, type CountingServerOptions, credentials, observeServer } from './tls-server.ts';

/** What a member says of its replica set. It is asked at each hello, because the ports are known late. */
export type MongodbMember = () => Pick<Document, 'setName' | 'hosts' | 'primary' | 'me'>;

export interface MongodbOptions extends Omit<CountingServerOptions, 'onSocket'> {
  /** undefined: everybody may read and write. */
  readonly login?: MongodbLogin;
  /** By database and collection, `app.users`; the same for several servers. Default: none yet. */
  readonly collections?: Map<string, Document[]>;
  /** A field whose value is unique in a collection. */
  readonly unique?: string;
  /** undefined: it is not in a replica set. */
  readonly member?: MongodbMember;
}

/**
 * A MongoDB server with TLS. Its handshakes, server names and resumptions count only connections with more than a hello: every driver also
 * keeps a connection that monitors the server.
 */
export interface MongodbServer extends CountingServer {
  /** How many logins were accepted. */
  readonly logins: () => number;
  /** Every command that was executed, by its name. */
  readonly commands: readonly string[];
  /** Hangs up on everybody. */
  readonly drop: () => void;
}

/**
 * A MongoDB server that is not real, because no real one can be had here. It answers what the official driver and mongoose ask in the
 * tests, with the official BSON library. It verifies SCRAM-SHA-256, and keeps documents, which it finds by equal values. It has no
 * `topologyVersion`, because with it drivers would wait for news.
 */
export async function startMongodb(options: MongodbOptions): Promise<MongodbServer> {
  const { certificate, host, port, login, member, collections = new Map(), unique, ...tls } = options;
  const [servernames, resumptions, commands]: [(string | false)[], boolean[], string[]] = [[], [], []];
  const sockets = new Set<TLSSocket>();
  let logins = 0;
  const onSocket = (socket: TLSSocket & { servername?: string | false }): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    let [isIn, isUsed] = [login === undefined, false];
    const scram = startScram(login ?? { user: '', password: '' });
    const counted = (answer: Document): Document => {
      if (answer.done === true) [isIn, logins] = [true, logins + 1];
      return answer;
    };
    serveMongodb(socket, ({ command, answer }) => {
      const [name = ''] = Object.keys(command);
      if (/^(?:hello|ismaster)$/i.test(name)) return answer(sayHello(command, login, scram, member?.()));
      commands.push(name);
      if (!isUsed) {
        isUsed = true;
        servernames.push(socket.servername ?? false);
        resumptions.push(socket.isSessionReused());
      }
      if (name === 'saslStart') return answer(scram.begin(command.payload as Buffer));
      if (name === 'saslContinue') return answer(counted(scram.go(command.payload as Buffer)));
      if (!isIn) return answer(fail(13, 'Unauthorized', `command ${name} requires authentication`));
      answer(execute(name, command, collections, unique));
    });
  };
  const server = createServer({ ...credentials(certificate), ...tls }, onSocket);
  const observed = await observeServer(server, undefined, host, port);
  const handshakes = (): number => servernames.length;
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return { ...observed, servernames, resumptions, handshakes, logins: () => logins, commands, drop };
}

/** The range of MongoDB 3.6 to 7.0. */
const wireVersions = { minWireVersion: 0, maxWireVersion: 21 };

function sayHello(
  { saslSupportedMechs, speculativeAuthenticate: early }: Document,
  login: MongodbLogin | undefined,
  scram: ReturnType<typeof startScram>,
  member: ReturnType<MongodbMember> | undefined,
): Document {
  const isPrimary = member === undefined || member.me === member.primary;
  const first = early?.mechanism === 'SCRAM-SHA-256' && login !== undefined ? scram.begin(early.payload) : undefined;
  return {
    helloOk: true,
    isWritablePrimary: isPrimary,
    ismaster: isPrimary,
    ...(member === undefined ? {} : { ...member, setVersion: 1, secondary: !isPrimary }),
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    connectionId: 1,
    ...wireVersions,
    readOnly: false,
    ...(saslSupportedMechs === undefined ? {} : { saslSupportedMechs: ['SCRAM-SHA-256'] }),
    ...(first === undefined || first === authenticationFailed ? {} : { speculativeAuthenticate: first }),
    ok: 1,
  };
}

function execute(
  name: string,
  command: Document,
  collections: Map<string, Document[]>,
  unique: string | undefined,
): Document {
  const namespace = `${command.$db}.${command[name]}`;
  const documents = collections.get(namespace) ?? [];
  const cursor = (firstBatch: Document[]): Document => ({
    cursor: { firstBatch, id: Long.ZERO, ns: namespace },
    ok: 1,
  });
  switch (name) {
    case 'ping':
    case 'endSessions':
    case 'killCursors':
    case 'create':
    case 'createIndexes':
      return { ok: 1 };
    case 'buildInfo':
      return { version: '7.0.0', versionArray: [7, 0, 0, 0], ok: 1 };
    case 'insert':
      if (unique !== undefined && find(documents, { [unique]: command.documents[0][unique] }).length > 0)
        return { n: 0, writeErrors: [{ index: 0, code: 11_000, errmsg: 'E11000 duplicate key error' }], ok: 1 };
      collections.set(namespace, [...documents, ...command.documents]);
      return { n: command.documents.length, ok: 1 };
    case 'find':
      return cursor(find(documents, command.filter).slice(0, Number(command.limit ?? 0) || undefined));
    case 'update': {
      const [{ q, u }] = command.updates;
      const [found] = find(documents, q);
      if (found !== undefined) Object.assign(found, u.$set);
      return { n: found === undefined ? 0 : 1, nModified: found === undefined ? 0 : 1, ok: 1 };
    }
    case 'delete': {
      const [found] = find(documents, command.deletes[0].q);
      collections.set(
        namespace,
        documents.filter((document) => document !== found),
      );
      return { n: found === undefined ? 0 : 1, ok: 1 };
    }
    case 'aggregate':
      return cursor((command.pipeline as Document[]).reduce(passStage, documents));
    default:
      return fail(59, 'CommandNotFound', `no such command: '${name}'`);
  }
}

/** `$documents` and `$match`; any other stage changes nothing. */
function passStage(documents: Document[], { $documents, $match }: Document): Document[] {
  return $documents ?? ($match === undefined ? documents : find(documents, $match));
}

function find(documents: readonly Document[], filter: Document = {}): Document[] {
  const wanted = Object.entries(filter).map(([key, value]) => [key, String(value)] as const);
  return documents.filter((document) => wanted.every(([key, value]) => String(document[key]) === value));
}

function fail(code: number, codeName: string, errmsg: string): Document {
  return { ok: 0, code, codeName, errmsg };
}
