// The protocol of a scheme or a port, and the default port of a scheme.
import { closestOf } from '../core/unknown-options.ts';
import { type UpgradeName, upgradeProtocols } from '../protocols/registry.ts';
import { invalidTarget as invalid } from './invalid-target.ts';

/** How a server comes to TLS: from the first byte, or by an upgrade. */
export type Protocol = 'tls' | UpgradeName;

export interface Scheme {
  readonly protocol: Protocol;
  readonly port: number | undefined;
  readonly alpn?: string | undefined;
  readonly hostInQuery?: boolean | undefined;
}

const entries = Object.entries(upgradeProtocols) as [UpgradeName, (typeof upgradeProtocols)[UpgradeName]][];

/** Services that begin with TLS and need no protocol here, each with its default port if there is one. */
const directServices: Readonly<Record<string, number | undefined>> = {
  https: 443,
  tls: undefined,
  ssl: undefined,
  wss: 443,
  rediss: 6379,
  'redis+tls': 6379,
  amqps: 5671,
  mqtts: 8883,
  mongodb: 27017,
};

/** The name of MongoDB's clusters. */
export const SRV = 'mongodb+srv';

/** Known services without a certificate under this scheme, and the scheme under which they have one. */
export const plaintextSchemes: Readonly<
  Record<string, { readonly service: string; readonly tls: string } | undefined>
> = {
  redis: { service: 'Redis', tls: 'rediss' },
};

export const schemes: ReadonlyMap<string, Scheme> = new Map([
  ...Object.entries(directServices).map(([name, port]): [string, Scheme] => [name, { protocol: 'tls', port }]),
  ...entries.flatMap(([protocol, { upgrade, direct, hostInQuery }]): [string, Scheme][] => [
    ...upgrade.schemes.map((name): [string, Scheme] => [name, { protocol, port: upgrade.ports[0], hostInQuery }]),
    ...(direct?.schemes ?? []).map((name): [string, Scheme] => [
      name,
      { protocol: 'tls', port: direct?.ports[0], alpn: direct?.alpn },
    ]),
  ]),
]);

/** If two protocols share a port, the first in the table gets it. */
export const protocolsOfPorts: ReadonlyMap<number, Protocol> = new Map(
  [
    ...entries.flatMap(([protocol, { upgrade, direct }]): [number, Protocol][] => [
      ...upgrade.ports.map((port): [number, Protocol] => [port, protocol]),
      ...(direct?.ports ?? []).map((port): [number, Protocol] => [port, 'tls']),
    ]),
    [443, 'tls'] as [number, Protocol],
  ].reverse(),
);

/** @throws CertpinError `ERR_TARGET_INVALID`, with the scheme that was probably meant */
export function findScheme(name: string): Scheme {
  const scheme = schemes.get(name);
  if (scheme !== undefined) return scheme;
  if (name === 'ssh') throw invalid('SSH has no certificate; ssh-keyscan shows its key');
  const shown = /^[a-z][a-z0-9+-]{0,19}$/.test(name) ? `${name}://` : 'this scheme';
  const meant = closestOf(name, [...schemes.keys()], name.length < 6 ? 1 : 2);
  const hint = meant === undefined ? '' : `; did you mean ${meant}://?`;
  throw invalid(`certpin does not know ${shown}${hint} (${ANY_TLS})`);
}

const ANY_TLS = 'a server that begins with TLS is named with tls://host:port';
