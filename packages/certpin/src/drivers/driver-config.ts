import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { type CertpinError, optionInvalid } from '../errors.ts';
import { refuseOptions } from '../leaf/options.ts';

/** What is said of a configuration that reached its driver without the function that makes the TLS connection. */
const LOST_STREAM = 'certpin: the pinned stream was lost; hand on the whole configuration';

/** Leads nowhere, because below a device there is never a file. To a driver it is the path of a unix socket. */
export const NOWHERE: string = `/dev/null/${LOST_STREAM}`;

/** TLS options under which nobody begins TLS: there is no such version for Node, and no such `sslmode` for libpq. */
export interface LostTls {
  readonly minVersion: SecureVersion;
  readonly sslmode: string;
}

/** A new one each time, because drivers write into it. */
export function lostTls(): LostTls {
  return { minVersion: LOST_STREAM as SecureVersion, sslmode: LOST_STREAM };
}

/** As {@link LostTls}, for drivers that would throw at a version where nobody catches: TLS under which no server is accepted. */
export interface TrustlessTls {
  readonly rejectUnauthorized: boolean;
  readonly ca: string[];
}

export function trustlessTls(): TrustlessTls {
  return { rejectUnauthorized: true, ca: [] };
}

/**
 * Reads what all database drivers have in common, and checks it.
 *
 * @returns the configuration as it is read: its own properties only, so that `Object.prototype` adds nothing
 * @param refused options that would take the connection out of certpin's hands, and why each is refused
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function readDriverConfig<Config extends object>(
  config: Config,
  refused: Readonly<Record<string, string>>,
  where: string,
): Config {
  if (typeof config !== 'object' || config === null)
    throw optionInvalid('config', `${where}: the configuration must be an object`);
  const given = Object.create(null, Object.getOwnPropertyDescriptors(config)) as Config;
  refuseOptions(given, refused, (option, why) => optionInvalid(option, `${where}: ${why}`));
  return given;
}

/** Reads TLS options of a client. `where` names them in errors. */
export type ReadTls = (options: object, where: string) => ConnectionOptions;

/**
 * The TLS options of a database client, as they stand in the `ssl` of its configuration.
 *
 * @throws CertpinError `ERR_OPTION_INVALID` for whatever is neither absent, `true` nor an object of TLS options
 */
export function readClientTls(ssl: unknown, readTls: ReadTls): ConnectionOptions {
  if (ssl === false) throw optionInvalid('ssl', '`ssl: false` contradicts a pin: there is always TLS; remove it');
  return ssl === undefined || ssl === true ? {} : readTls(ssl as object, 'ssl');
}

/** What a client calls the text that may stand in place of its configuration. */
type ConnectionString = 'connection string' | 'URI' | 'URL';

/**
 * Drivers let a connection string override the configuration. Versions of them differ in how they read odd strings, so every part that
 * any of them could take for a parameter is looked at. The string holds a password, so it is never part of a message.
 *
 * @param refused the names of the parameters that would take the connection out of certpin's hands
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function refuseParameters(
  text: string | undefined,
  refused: RegExp,
  where: string,
  string: ConnectionString,
): void {
  if (text !== undefined && typeof text !== 'string')
    throw optionInvalid(optionOf(string), `${where}: the ${string} must be a string`);
  for (const name of new URLSearchParams(String(text ?? '').replace(/[?#]/g, '&')).keys()) {
    if (refused.test(name)) throw parameterRefused(where, string, name);
  }
}

/** Of the text nothing but a plain word is shown. */
export function parameterRefused(
  where: string,
  string: ConnectionString,
  name: string,
): CertpinError<'ERR_OPTION_INVALID'> {
  const shown = /^[\w-]+$/.test(name) ? name : 'ssl…';
  const message = `remove \`${shown}\` from the ${string}: certpin makes the TLS connection, and the pin decides`;
  return optionInvalid(`${optionOf(string)} ${shown}`, `${where}: ${message}`);
}

function optionOf(string: ConnectionString): string {
  return string === 'connection string' ? 'connectionString' : string.toLowerCase();
}

/** `given` with properties of ours. Property by property: a spread would lose what is not enumerable, and call getters. */
export function withOwn<Given extends object, Own extends object>(given: Given, own: Own): Given & Own {
  const properties = { ...Object.getOwnPropertyDescriptors(given), ...Object.getOwnPropertyDescriptors(own) };
  return Object.defineProperties({} as Given & Own, properties);
}

/**
 * As {@link withOwn}, for what a driver is given. Our properties go into every copy, and nobody writes over them in place: sequelize
 * assigns the parameters of a connection string to the very object that it was given.
 */
export function withPinned<Given extends object, Own extends object>(
  given: Given,
  own: Own,
  where: string,
): Given & Own {
  const pinned = withOwn(given, own);
  for (const [key, value] of Object.entries(own)) hold(pinned, key, value, where);
  return pinned;
}

/** Gives `pinned` its form for `JSON.stringify`. It goes into no copy: a copy would write down what it was made from. */
export function withToJson<Pinned extends object>(pinned: Pinned, toJSON: () => object, where: string): Pinned {
  return hold(pinned, 'toJSON', toJSON, where, false);
}

/** A property over which nobody writes anything else. Whoever tries is told so in words. mssql assigns the object that it has read. */
function hold<Pinned extends object>(
  pinned: Pinned,
  key: string,
  value: unknown,
  where: string,
  enumerable = true,
): Pinned {
  const message = `${where}: \`${key}\` is certpin's own; remove it from the connection string, or from what is assigned here`;
  const set = (assigned: unknown): void => {
    if (assigned !== value || Object(value) !== value) throw optionInvalid(key, message);
  };
  return Object.defineProperty(pinned, key, { get: () => value, set, enumerable, configurable: false });
}

export const MAKES_STREAM = 'certpin makes the stream itself; remove `stream`';
