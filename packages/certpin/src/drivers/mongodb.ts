import type { ConnectionOptions } from 'node:tls';
import { optionErrors } from '../errors.ts';
import type { Attacher } from '../leaf/attacher.ts';
import { type ReadTls, readDriverConfig, refuseParameters, withPinned } from './driver-config.ts';
import { type SeenTls, seenTls } from './seen.ts';

/** A configuration of the driver: the arguments of `new MongoClient`, and of mongoose's `connect`. */
export type MongodbArguments<Options> = [url: string, options: Options];

/** What `pinnedMongodb` adds. */
export interface PinnedMongodb
  extends Pick<SeenTls, 'secureContext' | 'rejectUnauthorized' | 'ca' | 'checkServerIdentity'> {
  readonly tls: true;
  readonly serverSelectionTimeoutMS: number;
}

/** What was given, with the TLS options separated from those that the driver reads. */
export interface MongodbConfig {
  /** Without TLS parameters. */
  readonly url: string;
  readonly tls: ConnectionOptions;
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * Options of `tls.connect` that stand among the driver's own. The driver accepts any spelling. Here they are known by the lower-case one.
 */
const tlsOptions = new Map(
  'ALPNProtocols allowPartialTrustChain ca cert checkServerIdentity ciphers crl ecdhCurve key maxVersion minDHSize minVersion passphrase pfx pskCallback rejectUnauthorized secureContext secureOptions secureProtocol servername session sigalgs'
    .split(' ')
    .map((name) => [name.toLowerCase(), name]),
);

const PIN_DECIDES = 'the pin decides; remove it';
const FROM_FILE = 'read the file, and give `cert` and `key`, or remove it';
const PROXY = "the driver would make TLS on the proxy's socket; remove it";

/** The driver's own options that switch the verification off, read files, or lead the connection to another server. */
const refused: Readonly<Record<string, string>> = {
  tlsinsecure: PIN_DECIDES,
  tlsallowinvalidcertificates: PIN_DECIDES,
  tlsallowinvalidhostnames: PIN_DECIDES,
  tlscafile: PIN_DECIDES,
  tlscrlfile: PIN_DECIDES,
  tlscertificatefile: FROM_FILE,
  tlscertificatekeyfile: FROM_FILE,
  tlscertificatekeyfilepassword: FROM_FILE,
  sslvalidate: PIN_DECIDES,
  sslca: PIN_DECIDES,
  sslcrl: PIN_DECIDES,
  sslcert: FROM_FILE,
  sslkey: FROM_FILE,
  sslpass: FROM_FILE,
  proxyhost: PROXY,
  proxyport: PROXY,
  proxyusername: PROXY,
  proxypassword: PROXY,
};

/**
 * Parameters of the URL that would decide about TLS, or about the way to the server. Parameters that only ask for TLS are removed before.
 */
const refusedParameters = new RegExp(`^(?:(?:tls|ssl|proxy).*|lookup|${[...tlsOptions.keys()].join('|')})$`, 'i');

/**
 * Reads what the driver will be given. The driver takes its options from the URL and from the object, in any spelling.
 *
 * @param where names the function in errors
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function readMongodbConfig(url: string, options: object | undefined, where: string): MongodbConfig {
  const invalid = optionErrors(where);
  const [tls, others]: Record<string, unknown>[] = [{}, {}] as const;
  for (const [name, value] of Object.entries(readDriverConfig(options ?? {}, {}, where))) {
    const lower = name.toLowerCase();
    const tlsOption = tlsOptions.get(lower);
    if (value == null) continue;
    if (refused[lower] !== undefined) throw invalid(name, `\`${name}\`: ${refused[lower]}`);
    if (tlsOption !== undefined) (tls as Record<string, unknown>)[tlsOption] = value;
    else if (lower !== 'tls' && lower !== 'ssl') (others as Record<string, unknown>)[name] = value;
    else if (value !== true) throw invalid(name, `\`${name}\` contradicts a pin: there is always TLS; remove it`);
  }
  return { url: readUrl(url, where), tls: tls as ConnectionOptions, options: others as Record<string, unknown> };
}

/**
 * A configuration of the driver whose connections certpin sees and pins when they are made.
 *
 * `tls=true` is in the URL too: together with it, the driver throws at a `tls: false`. If a driver gets only the URL, or options that have
 * lost their context, it finds a context there with which nothing connects.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`; `ERR_CLIENT_UNSUPPORTED` if this Node announces no TLS sockets
 */
export function configureMongodb(
  { url, tls, options }: MongodbConfig,
  attacher: Attacher,
  readTls: ReadTls,
): MongodbArguments<PinnedMongodb> {
  const seen = seenTls(attacher, readTls(tls, 'options'), 'pinnedMongodb');
  const { secureContext, rejectUnauthorized, ca, checkServerIdentity } = seen;
  const own: PinnedMongodb = {
    tls: true,
    ...{ secureContext, rejectUnauthorized, ca, checkServerIdentity },
    ...known(seen),
    serverSelectionTimeoutMS: selectionTimeout(options),
  };
  return [addParameters(url, { tls: 'true', ...lost }), withPinned(options, own, 'pinnedMongodb')];
}

/** The value of an option that a copy has lost: with a text as its context, `tls.connect` throws. */
const lost = { secureContext: 'lost' };

/** What else the driver passes to `tls.connect`. Everything else is in the secure context. */
function known({ servername, ALPNProtocols, minDHSize }: ConnectionOptions): object {
  return Object.fromEntries(
    Object.entries({ servername, ALPNProtocols, minDHSize }).filter(([, value]) => value !== undefined),
  );
}

/** How long an operation waits for a usable server, if nothing else is configured. */
const SELECTION_TIMEOUT_MS = 5_000;

/** The driver reports a refusal only after this time has passed. */
export function selectionTimeout({ serverSelectionTimeoutMS }: MongodbConfig['options']): number {
  return (serverSelectionTimeoutMS as number | undefined) ?? SELECTION_TIMEOUT_MS;
}

/** Splits a URL as the driver does (mongodb-connection-string-url). The part before the hosts is a secret. */
const URL_PARTS = /^(mongodb(?:\+srv)?:\/\/(?:[^@]*@)?)([^/?@]+)(.*)$/;

/** @throws CertpinError `ERR_OPTION_INVALID`, without the URL */
function readUrl(url: string, where: string): string {
  const invalid = optionErrors(where);
  // URL parsers skip control characters. So they could find a parameter that was not checked here.
  const [, , hosts = '', rest = ''] = (typeof url === 'string' && !/[\0- ]/.test(url) && URL_PARTS.exec(url)) || [];
  if (hosts === '') throw invalid('url', 'the first argument must begin with mongodb:// or mongodb+srv://');
  if (/%2f|\.sock(?:,|$)/i.test(hosts)) throw invalid('url', 'a unix socket has no TLS: nothing to pin');
  const withoutTls = rest
    .replace(/([?&])(?:tls|ssl)=true(?=&|$)/g, '$1')
    .replace(/&{2,}/g, '&')
    .replace('?&', '?');
  refuseParameters(withoutTls, refusedParameters, where, 'URL');
  return url.slice(0, url.length - rest.length) + withoutTls;
}

/** The same URL with more parameters. */
export function addParameters(url: string, parameters: Readonly<Record<string, string>>): string {
  const [, start = '', hosts = '', rest = ''] = URL_PARTS.exec(url) ?? [];
  const [path = '', query = ''] = rest.split('?');
  const all = [...query.split('&').filter(Boolean), new URLSearchParams(parameters).toString()];
  return `${start}${hosts}${path || '/'}?${all.join('&')}`;
}

/** The same URL with other hosts. */
export function mapHosts(url: string, map: (host: string) => string): string {
  const [, start = '', hosts = '', rest = ''] = URL_PARTS.exec(url) ?? [];
  return `${start}${hosts.split(',').map(map).join(',')}${rest}`;
}
