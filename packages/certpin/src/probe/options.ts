import { constants } from 'node:crypto';
import { isIP, type LookupFunction } from 'node:net';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import { refuseUnknownOptions } from '../core/unknown-options.ts';
import { CertpinError } from '../errors.ts';
import { ownOptions } from '../leaf/options.ts';
import { oneOf } from '../leaf/policy.ts';
import { type UpgradeName, upgradeProtocols } from '../protocols/registry.ts';
import { isOld } from '../tls/options.ts';
import { createTunnel, type ProxyInput } from '../tls/proxy.ts';
import type { OpenTunnel } from '../wire/tunnel.ts';
import { createContext } from './context.ts';
import type { Protocol } from './schemes.ts';

export interface ProbeOptions {
  /** Longest time for one server, in milliseconds, for everything together. Default 10 000. 0: no limit. */
  readonly timeoutMs?: number | undefined;
  /** The name that is sent to the server, if it is not the host: in SNI, and before TLS if the protocol has a place for it. */
  readonly servername?: string | undefined;
  /** How the server comes to TLS. It overrides scheme and port. */
  readonly protocol?: Protocol | undefined;
  /** 4 or 6: connect to addresses of this kind only. Default: either. */
  readonly family?: 4 | 6 | undefined;
  /** The IP address to connect to, if the host has several. The host does not change: its name is sent, and a policy is about it. */
  readonly address?: string | undefined;
  /** How the host's name is looked up. The function is called like `net.connect`'s `lookup`. Default: `dns.lookup`. */
  readonly lookup?: LookupFunction | undefined;
  /** How SRV records are looked up, for `mongodb+srv://`. Default: `dns.resolveSrv`. */
  readonly resolveSrv?: ResolveSrv | undefined;
  /** The client's certificate, and limits for TLS. */
  readonly tls?: ProbeTlsOptions | undefined;
  /** A proxy: `http://`, `https://` or `socks5://`, as for every other client of certpin. */
  readonly proxy?: ProxyInput | undefined;
  /** Ends the probe. */
  readonly signal?: AbortSignal | undefined;
}

/** Called like `dns.resolveSrv`. */
export type ResolveSrv = (
  name: string,
  done: (error: Error | null, records: readonly { readonly name: string; readonly port: number }[]) => void,
) => void;

/** As in `tls.connect`. */
export interface ProbeTlsOptions
  extends Pick<ConnectionOptions, 'cert' | 'key' | 'pfx' | 'passphrase' | 'maxVersion' | 'ciphers' | 'sigalgs'> {
  /**
   * Default `TLSv1.2`. `TLSv1` or `TLSv1.1` also accepts what belongs to these versions: short keys, Diffie-Hellman groups of 1024 bits,
   * SHA-1, and servers without secure renegotiation (RFC 5746). A probe sends nothing, so it has nothing to lose. A client must not do
   * this.
   */
  readonly minVersion?: ConnectionOptions['minVersion'];
}

/** Checked options. */
export interface Settings {
  readonly timeoutMs: number;
  readonly servername: string | undefined;
  readonly protocol: Protocol | undefined;
  readonly family: 4 | 6 | undefined;
  readonly address: string | undefined;
  readonly lookup: LookupFunction | undefined;
  readonly resolveSrv: ResolveSrv | undefined;
  readonly context: () => SecureContext;
  /** Whether signature algorithms are named. A server without a certificate for them refuses the handshake. */
  readonly asksForKind: boolean;
  readonly tunnel: OpenTunnel | undefined;
  readonly signal: AbortSignal | undefined;
}

export const probeKeys = [
  'timeoutMs',
  'servername',
  'protocol',
  'family',
  'address',
  'lookup',
  'resolveSrv',
  'tls',
  'proxy',
  'signal',
] as const;

const tlsKeys = ['cert', 'key', 'pfx', 'passphrase', 'minVersion', 'maxVersion', 'ciphers', 'sigalgs'];
const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
/** Every way in which a server can come to TLS, as `protocol` takes it. */
export const protocols: readonly Protocol[] = ['tls', ...(Object.keys(upgradeProtocols) as UpgradeName[])];

/** @throws CertpinError `ERR_OPTION_INVALID`, `ERR_PIN_INVALID` (of a proxy) */
export function readProbeOptions(options: ProbeOptions): Settings {
  refuseUnknownOptions(options, probeKeys, 'probe');
  const { timeoutMs = 10_000, servername, protocol, family, tls = {}, proxy, signal } = ownOptions(options);
  const { address, lookup, resolveSrv } = ownOptions(options);
  if (family !== undefined && family !== 4 && family !== 6) throw invalid('family', 'must be 4 or 6');
  if (family !== undefined && proxy !== undefined)
    throw invalid('family', 'has no effect behind a proxy, which looks up the name: remove it');
  if (address !== undefined && isIP(address) === 0) throw invalid('address', 'must be an IP address');
  if (address !== undefined && proxy !== undefined)
    throw invalid('address', 'has no effect behind a proxy, which looks up the name: remove it');
  if (lookup !== undefined && typeof lookup !== 'function') throw invalid('lookup', 'must be a function');
  if (resolveSrv !== undefined && typeof resolveSrv !== 'function') throw invalid('resolveSrv', 'must be a function');
  return {
    timeoutMs: checkCount('timeoutMs', timeoutMs),
    servername,
    protocol: oneOf('protocol', protocol, protocols),
    family,
    address,
    lookup,
    resolveSrv,
    context: createContext(readTls(tls)),
    asksForKind: tls.sigalgs !== undefined,
    tunnel: createTunnel(proxy),
    signal,
  };
}

function readTls(options: ProbeTlsOptions): ConnectionOptions {
  refuseUnknownOptions(options, tlsKeys, 'probe.tls');
  const tls = ownOptions(options);
  oneOf('minVersion', tls.minVersion, versions);
  oneOf('maxVersion', tls.maxVersion, versions);
  const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
  if (isOld(tls.maxVersion) && !isOld(tls.minVersion))
    throw invalid('maxVersion', `is older than minVersion, which is TLSv1.2 where it is not given`);
  return isOld(tls.minVersion) ? { ...oldServers, ...given } : given;
}

/** OpenSSL refuses these by its own defaults, whatever the version. */
const oldServers: ConnectionOptions = {
  ciphers: 'DEFAULT:@SECLEVEL=0',
  secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
};

/** @throws CertpinError `ERR_OPTION_INVALID` unless it is a whole number that a timer accepts */
export function checkCount(option: string, value: number, minimum = 0): number {
  if (Number.isInteger(value) && value >= minimum && value < 2 ** 31) return value;
  throw invalid(option, `must be a whole number, ${minimum} or more`);
}

function invalid(option: string, message: string): CertpinError<'ERR_OPTION_INVALID'> {
  return new CertpinError('ERR_OPTION_INVALID', `\`${option}\` ${message}`, { option });
}
