import { resolveSrv as systemResolveSrv } from 'node:dns';
import { invalidTarget } from './invalid-target.ts';
import { type ProbeOptions, type ResolveSrv, readProbeOptions, type Settings } from './options.ts';
import { parseTarget, type ServerTarget, type SrvTarget, type Target, toTarget } from './target.ts';
import { type Stop, withTimeLimit } from './time-limit.ts';

/** A name with more servers than these would keep us busy. */
const MAX_SERVERS = 64;

/**
 * The servers that a target stands for. `mongodb+srv://` stands for the servers of a MongoDB cluster, by its SRV records in DNS. Any other
 * target stands for itself. DNS cannot be trusted, so servers outside of the domain are refused, as in every MongoDB driver. The TXT record
 * holds options of the driver, and is not read.
 *
 * @throws CertpinError `ERR_TARGET_INVALID` for records that lead outside of the domain, and for more than 64; Node's own error
 * (`ENOTFOUND`, `ENODATA`, …) if there are none; `ERR_CONNECT_TIMEOUT`
 */
export async function targetsOf(target: string | Target, options: ProbeOptions = {}): Promise<readonly Target[]> {
  return findTargets(toTarget(target), readProbeOptions(options));
}

/** As {@link targetsOf}, with options that have been read. */
export async function findTargets(
  target: Target,
  { resolveSrv, timeoutMs, signal }: Settings,
): Promise<readonly Target[]> {
  if (!('srvName' in target)) return [target];
  return withTimeLimit(timeoutMs, signal, (own) => findServers(target, resolveSrv, own));
}

/** The one server that the name stands for. @throws as {@link targetsOf}; `ERR_TARGET_INVALID` if there are several */
export async function findServer(target: SrvTarget, { resolveSrv }: Settings, signal: Stop): Promise<ServerTarget> {
  const [server, ...others] = await findServers(target, resolveSrv, signal);
  if (server === undefined || others.length > 0) {
    const names = [server, ...others].map((one) => one?.label).join(', ');
    throw invalidTarget(
      `it stands for ${others.length + 1} servers, and each may have a certificate of its own: name one of ${names}`,
    );
  }
  return server;
}

async function findServers(
  { srvName }: SrvTarget,
  resolveSrv: ResolveSrv = systemResolveSrv,
  signal: Stop,
): Promise<readonly ServerTarget[]> {
  const records = await new Promise<Parameters<Parameters<ResolveSrv>[1]>[1]>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
    resolveSrv(srvName, (error, found) => (error ? reject(withName(error, srvName)) : resolve(found)));
  });
  const found = records.map(({ name, port }) => ({ host: name.toLowerCase().replace(/\.$/, ''), port }));
  const places = [...new Map(found.map((place) => [`${place.host}:${place.port}`, place])).keys()];
  if (places.length === 0) throw withName(Object.assign(new Error(), { code: 'ENODATA' }), srvName);
  if (places.length > MAX_SERVERS) throw invalidTarget(`it stands for more than ${MAX_SERVERS} servers`);
  const domain = domainOf(srvName);
  if (!found.every(({ host }) => host.endsWith(`.${domain}`))) {
    throw invalidTarget(
      `a record of ${srvName} leads outside of ${domain}, which no MongoDB driver follows: have the record corrected, or name the servers, as in mongodb://host:port`,
    );
  }
  if (!found.every(({ host }) => NAME.test(host))) throw invalidTarget(`a record of ${srvName} names no host`);
  return places.map((place) => parseTarget(`mongodb://${place}`) as ServerTarget);
}

/** The characters of a name in DNS. Anything else would be read as another part of a URL. */
const NAME = /^[\w-]+(?:\.[\w-]+)+$/;

/**
 * The domain to which the servers must belong: that of the cluster's name, or the name itself if it has only two labels. This is in
 * MongoDB's specification, "Initial DNS Seedlist Discovery", Querying DNS.
 */
function domainOf(srvName: string): string {
  const labels = srvName.split('.').slice(2);
  return labels.slice(labels.length < 3 ? 0 : 1).join('.');
}

/** Node's error names the call. This one names the record, and keeps the code. */
function withName(error: Error & { code?: unknown }, srvName: string): Error {
  const { code } = error;
  if (code !== 'ENOTFOUND' && code !== 'ENODATA') return error;
  const message = `${srvName} has no SRV record: name the servers, as in mongodb://host:port (${code})`;
  return Object.assign(new Error(message, { cause: error }), { code });
}
