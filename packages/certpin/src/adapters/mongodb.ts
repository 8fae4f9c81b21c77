import type { ConnectionOptions } from 'node:tls';
import { configureMongodb, type MongodbArguments, type PinnedMongodb, readMongodbConfig } from '../drivers/mongodb.ts';
import { type ConnectableMongodb, connectUntilRefused } from '../drivers/mongodb-connect.ts';
import { type ForwardedMongodb, forwardMongodb, type PinnedMongodbForward } from '../drivers/mongodb-forward.ts';
import type { NeverWithoutTls, Refuse } from '../drivers/refused-types.ts';
import { isSupported } from '../drivers/seen.ts';
import { CertpinError } from '../errors.ts';
import { readTlsOptions } from '../tls/options.ts';
import { type PolicyInput, seenPinnerOf, tlsPinnerOf } from '../tls/pinner-of.ts';

export type { ConnectableMongodb, ForwardedMongodb, MongodbArguments, PinnedMongodb, PinnedMongodbForward };

/** What a configuration must not contain. */
type RefusedOptions =
  | 'tlsInsecure'
  | 'tlsAllowInvalidCertificates'
  | 'tlsAllowInvalidHostnames'
  | 'tlsCAFile'
  | 'tlsCRLFile'
  | 'tlsCertificateKeyFile'
  | 'rejectUnauthorized'
  | 'checkServerIdentity'
  | 'secureContext'
  | 'session'
  | 'proxyHost';

/**
 * The arguments of `new MongoClient` and of `mongoose.connect`, for driver 4 to 7. Each connection of the client is pinned, to every member
 * of a replica set. The driver makes it, and certpin sees it when it is made.
 *
 * ```ts
 * import { MongoClient } from 'mongodb';
 * import { connectMongodb, pinnedMongodb } from 'certpin/mongodb';
 * const client = await connectMongodb(new MongoClient(...pinnedMongodb(url, { pins: process.env.DB_PINS })));
 * ```
 *
 * Needs Node 22.17, 24.2 or newer. For an older Node, use {@link pinnedMongodbForward}.
 *
 * @param url a connection string, `mongodb://` or `mongodb+srv://`
 * @param options of the driver: `cert` and `key` for mutual TLS and X.509, `servername`, and all that has nothing to do with TLS
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`, at once, if the configuration cannot be used
 */
export function pinnedMongodb<Options extends object = object>(
  url: string,
  policy: PolicyInput,
  options?: Options & Refuse<Options, RefusedOptions> & NeverWithoutTls<Options>,
): MongodbArguments<Omit<Options, keyof PinnedMongodb> & PinnedMongodb>;
export function pinnedMongodb(url: string, policy: PolicyInput, options?: object): MongodbArguments<PinnedMongodb> {
  if (!isSupported()) throw needsForward();
  const config = readMongodbConfig(url, options, 'pinnedMongodb');
  return configureMongodb(config, seenPinnerOf(policy, 'mongodb'), readTlsOptions);
}

/**
 * As {@link pinnedMongodb}, for every Node. The driver connects to an end inside this process that speaks SOCKS5. certpin makes the pinned
 * connection from there to the server.
 *
 * ```ts
 * const pinned = await pinnedMongodbForward(url, { pins: process.env.DB_PINS });
 * const client = await connectMongodb(new MongoClient(...pinned.args));
 * ```
 *
 * The driver keeps only the text of a refusal. The error itself is `pinned.lastError`, and {@link connectMongodb} rejects with it. Call
 * `pinned.close()` after `client.close()`. Driver 6 and 7 need the package `socks` too.
 *
 * @throws CertpinError (as a rejection) as {@link pinnedMongodb}
 */
export async function pinnedMongodbForward<Options extends object = object>(
  url: string,
  policy: PolicyInput,
  options?: Options & Refuse<Options, RefusedOptions> & NeverWithoutTls<Options>,
): Promise<ForwardedMongodb<Omit<Options, keyof PinnedMongodbForward> & PinnedMongodbForward>> {
  const config = readMongodbConfig(url, options, 'pinnedMongodbForward');
  const readOnward = (tls: ConnectionOptions): ConnectionOptions => readTlsOptions(tls, 'options');
  return forwardMongodb(config, tlsPinnerOf(policy, 'mongodb'), readOnward) as never;
}

/**
 * Calls `client.connect()`, and rejects as soon as every server is refused. Without this, the driver would ask again until
 * `serverSelectionTimeoutMS` is over. For clients with a configuration of {@link pinnedMongodb} or {@link pinnedMongodbForward}.
 *
 * As long as one server is right, or may come back, nothing changes for the driver.
 *
 * @returns the same client, connected
 * @throws CertpinError (as a rejection) the refusal of the first server. The client is then closed, and may be connected again. Other
 * failures are the driver's own
 */
export async function connectMongodb<Client extends ConnectableMongodb>(client: Client): Promise<Client> {
  await connectUntilRefused(client);
  return client;
}

function needsForward(): CertpinError<'ERR_CLIENT_UNSUPPORTED'> {
  const message = `pinnedMongodb: this Node (${process.version}) does not announce TLS sockets, so the driver's own connections cannot be pinned; use pinnedMongodbForward of certpin/mongodb, or Node 22.17, 24.2 or newer`;
  return new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'mongodb' });
}
