import type { LookupFunction } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type AnyCertpinError, findCertpinError } from '../errors.ts';
import type { Address } from '../leaf/pinner.ts';

/** What the driver tells of the servers that it knows, at each change. */
interface TopologyChange {
  readonly newDescription: { readonly servers: ReadonlyMap<string, { readonly error: unknown }> };
}

type Listener = (change: TopologyChange) => void;

/** Of a `MongoClient`, what is used here. */
export interface ConnectableMongodb {
  readonly options: object;
  connect(): Promise<unknown>;
  close(): Promise<unknown>;
  on(event: 'topologyDescriptionChanged', listener: Listener): unknown;
  off(event: 'topologyDescriptionChanged', listener: Listener): unknown;
}

/** What became of the last connection to a server, by its address as the driver writes it. */
type Failures = Map<string, unknown>;

/** Of an end inside the process, by the `lookup` that stands in its configuration: the driver keeps the text of a failure, and not the error. */
const failuresOfEnds = new WeakMap<LookupFunction, Failures>();

/** Remembers with what error the connections of an end have failed. */
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
 * Connects a client. When every server that the driver knows has been refused, the client is closed, and the call ends with the first
 * refusal: the driver itself would ask again until its time is over.
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
    // The call of `connect` ends with it.
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

/** The errors of servers that were refused. One that is merely down, or too slow, may come back. */
function refusalIn(error: unknown): AnyCertpinError | undefined {
  const found = findCertpinError(error);
  if (found === undefined) return undefined;
  const isFinal =
    'verdict' in found.details || found.code === 'ERR_HOST_UNPINNED' || found.code === 'ERR_CLIENT_UNSUPPORTED';
  return isFinal ? found : undefined;
}
