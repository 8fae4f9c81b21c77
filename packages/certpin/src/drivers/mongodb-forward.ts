import { createRequire } from 'node:module';
import { isIP, type LookupFunction } from 'node:net';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { CertpinError } from '../errors.ts';
import type { Pinner } from '../leaf/pinner.ts';
import type { EndControl } from '../wire/end.ts';
import { startSocksEnd } from '../wire/socks-end.ts';
import { withPinned } from './driver-config.ts';
import { addParameters, type MongodbArguments, type MongodbConfig, mapHosts, selectionTimeout } from './mongodb.ts';
import { noteFailures } from './mongodb-connect.ts';

/** What `pinnedMongodbForward` adds. */
export interface PinnedMongodbForward {
  readonly proxyHost: string;
  readonly proxyPort: number;
  readonly proxyUsername: string;
  readonly proxyPassword: string;
  /** For a copy that has lost the proxy: a look-up that finds no server. */
  readonly lookup: LookupFunction;
  readonly serverSelectionTimeoutMS: number;
}

/** The arguments of the driver, and the end inside the process to which the driver connects. */
export interface ForwardedMongodb<Options> extends EndControl {
  readonly args: MongodbArguments<Options>;
}

/** Options of the driver's sockets that the onward connection takes over. */
const socketOptions =
  'family hints localAddress lookup autoSelectFamily autoSelectFamilyAttemptTimeout keepAliveInitialDelay'.split(' ');

/**
 * A configuration of the driver that goes through an end of ours. The proxy is in the URL and in the options, so that losing one of them
 * changes nothing. `tls=false` is only in the URL. Without it, an SRV record would mean TLS. And together with a `tls: true`, the driver
 * throws.
 *
 * @throws CertpinError (as a rejection) `ERR_OPTION_INVALID`, `ERR_CLIENT_UNSUPPORTED`
 */
export async function forwardMongodb(
  { url, tls, options }: MongodbConfig,
  pinner: Pinner,
  readOnward: (tls: ConnectionOptions) => ConnectionOptions,
): Promise<ForwardedMongodb<PinnedMongodbForward>> {
  refuseWithoutSocks();
  const ofSocket = Object.fromEntries(Object.entries(options).filter(([name]) => socketOptions.includes(name)));
  // As long as the driver's own default.
  const defaults = { keepAlive: true, keepAliveInitialDelay: 120_000 };
  const onward = { ...defaults, ...readOnward({ ...ofSocket, ...tls }), allowHalfOpen: true };
  const lookup: LookupFunction = (...call) => findNobody(...call);
  const open = noteFailures(lookup, ({ host, port }) =>
    pinner.open({ ...onward, host: fromName(host), port }, pinner.connectTimeoutMs),
  );
  const end = await startSocksEnd(open, pinner.connectTimeoutMs);
  const { proxyHost, proxyPort, proxyUsername, proxyPassword } = end;
  const parameters = { proxyHost, proxyPort: String(proxyPort), proxyUsername, proxyPassword, tls: 'false' };
  const own: PinnedMongodbForward = {
    ...{ proxyHost, proxyPort, proxyUsername, proxyPassword },
    lookup,
    serverSelectionTimeoutMS: selectionTimeout(options),
  };
  const others = Object.fromEntries(Object.entries(options).filter(([name]) => !socketOptions.includes(name)));
  // The servers of an SRV record must belong to its domain, or the driver does not accept them.
  const seeds = url.startsWith('mongodb+srv:') ? url : mapHosts(url, toName);
  return {
    args: [addParameters(seeds, parameters), withPinned(others, own, 'pinnedMongodbForward')],
    get lastError() {
      return end.lastError;
    },
    close: () => end.close(),
  };
}

/** RFC 6761 §6.4: a domain in which no name exists. */
const NOWHERE = 'certpin.invalid';

/**
 * A host as a name that only the end understands. A configuration that has lost the end, and `lookup` too, finds no server under this name.
 *
 * @param host with its port, as in the URL
 */
function toName(host: string): string {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]*)\]|([^:]*))(:\d*)?$/.exec(host) ?? [];
  const name = (bracketed ?? plain ?? '').replace(/\.$/, '');
  const family = isIP(name);
  return `${family === 0 ? `${name}.name` : `${name.replace(/[.:]/g, '-')}.ip${family}`}.${NOWHERE}${port}`;
}

/** The way back. Hosts that a replica set names stay as they are. */
function fromName(name: string): string {
  const [, host = name, kind] = /^(.*)\.(name|ip4|ip6)\.certpin\.invalid$/.exec(name) ?? [];
  return kind === 'ip4' ? host.replaceAll('-', '.') : kind === 'ip6' ? host.replaceAll('-', ':') : host;
}

const findNobody: LookupFunction = (name, _options, callback) => {
  const message = `pinnedMongodbForward: the configuration has lost its proxy, so ${JSON.stringify(name)} is not called; pass on the whole configuration`;
  const error = new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'mongodb' });
  process.nextTick(() => callback(error as never, '', 4));
};

/**
 * Looks for `socks` from the folder in which the program's driver is found. A program that was bundled into one file has neither, and is
 * let through.
 */
function refuseWithoutSocks(): void {
  const ofProgram = createRequire(join(process.cwd(), 'index.js'));
  const resolve = (from: NodeJS.Require, name: string): string | undefined => {
    try {
      return from.resolve(name);
    } catch {
      return undefined;
    }
  };
  const driver = resolve(ofProgram, 'mongodb');
  if (driver === undefined || resolve(createRequire(driver), 'socks') !== undefined) return;
  const message = 'pinnedMongodbForward: the driver of MongoDB needs the package `socks` here; run: npm install socks';
  throw new CertpinError('ERR_CLIENT_UNSUPPORTED', message, { client: 'mongodb' });
}
