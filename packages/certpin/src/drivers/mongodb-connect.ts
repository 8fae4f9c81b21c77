import type { LookupFunction } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type AnyCertpinError, findCertpinError } from '../errors.ts';
import type { Address } from '../leaf/pinner.ts';

/** What the driver reports about its known servers, at each change. */
interface TopologyChange {
  readonly newDescription: { readonly servers: ReadonlyMap<string, { readonly error: unknown }> };
}

type Listener = (change: TopologyChange) => void;

/** The members of a `MongoClient` that are used here. */
export interface ConnectableMongodb {
  readonly options: object;
  connect(): Promise<unknown>;
  close(): Promise<unknown>;
  on(event: 'topologyDescriptionChanged', listener: Listener): unknown;
  off(event: 'topologyDescriptionChanged', listener: Listener): unknown;
}

/** How the last connection to a server ended, by its address as the driver writes it. */
type Failures = Map<string, unknown>;

/** For an end inside the process, by the `lookup` of its configuration: the driver keeps the text of a failure, but not the error. */
const failuresOfEnds = new WeakMap<LookupFunction, Failures>();

/** Remembers the error with which the connections of an end failed. */
export function noteFailures(lookup: LookupFunction, open: (server: Address) => TLSSocket): typeof open {
  const failures: Failures = new Map();
  failuresOfEnds.set(lookup, failures);
  return (server) => {
    const address = `${server.host.includes(':') ? `[${server.host}]` : server.host}:${server.port}`;
    const note = (error: unknown): void => void failures.set(address, error);
    try {
      return open(server)
        .once('error', note)
        .once('secureConnect', () => failures.delete(address));
    } catch (error) {
      note(error);
      throw error;
    }
  };
}

/**
 * Connects a client. When every server that the driver knows has been refused, the client is closed. The call then rejects with the first
 * refusal. Without this, the driver would ask again until its time is over.
 */
export async function connectUntilRefused(client: ConnectableMongodb): Promise<void> {
  const { lookup } = client.options as { readonly lookup?: LookupFunction };
  const failures = lookup && failuresOfEnds.get(lookup);
  let refusal: AnyCertpinError | undefined;
  let closing: Promise<unknown> | undefined;
  const onChange: Listener = ({ newDescription: { servers } }) => {
    const refusals = [...servers].map(([address, { error }]) => refusalIn(error && (failures?.get(address) ?? error)));
    if (closing !== undefined || refusals.includes(undefined)) return;
    refusal = refusals[0];
    // Closing the client ends the call of `connect` too.
    if (refusal !== undefined) closing = client.close().catch(() => undefined);
  };
  client.on('topologyDescriptionChanged', onChange);
  try {
    await client.connect();
  } catch (error) {
    if (refusal === undefined) throw error;
  } finally {
    client.off('topologyDescriptionChanged', onChange);
    await closing;
  }
  if (refusal !== undefined) throw refusal;
}

/** The errors of refused servers. A server that is only down, or too slow, may come back. */
function refusalIn(error: unknown): AnyCertpinError | undefined {
  const found = findCertpinError(error);
  if (found === undefined) return undefined;
  const isFinal =
    'verdict' in found.details || found.code === 'ERR_HOST_UNPINNED' || found.code === 'ERR_CLIENT_UNSUPPORTED';
  return isFinal ? found : undefined;
}
