import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { type CertpinError, optionInvalid } from '../errors.ts';
import { refuseOptions } from '../leaf/options.ts';

/** The error if a configuration reaches its driver without the function that makes the TLS connection. */
const LOST_STREAM = 'certpin: the pinned stream was lost; pass on the whole configuration';

/** A path where no file can be, because /dev/null is not a folder. A driver takes it for the path of a unix socket. */
export const NOWHERE: string = `/dev/null/${LOST_STREAM}`;

/** TLS options under which TLS cannot begin: Node has no such version, and libpq has no such `sslmode`. */
export interface LostTls {
  readonly minVersion: SecureVersion;
  readonly sslmode: string;
}

/** A new object each time, because drivers write into it. */
export function lostTls(): LostTls {
  return { minVersion: LOST_STREAM as SecureVersion, sslmode: LOST_STREAM };
}

/** As {@link LostTls}, for drivers in which such a version throws where nobody can catch it. These TLS options accept no server. */
export interface TrustlessTls {
  readonly rejectUnauthorized: boolean;
  readonly ca: string[];
}

export function trustlessTls(): TrustlessTls {
  return { rejectUnauthorized: true, ca: [] };
}

/**
 * Reads and checks the options that all database drivers have in common.
 *
 * @returns the configuration as it is read: its own properties only, so that `Object.prototype` adds nothing
 * @param refused options that would let another code make the connection, and why each is refused
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
 * @throws CertpinError `ERR_OPTION_INVALID` unless it is absent, `true` or an object of TLS options
 */
export function readClientTls(ssl: unknown, readTls: ReadTls): ConnectionOptions {
  if (ssl === false) throw optionInvalid('ssl', '`ssl: false` contradicts a pin: there is always TLS; remove it');
  return ssl === undefined || ssl === true ? {} : readTls(ssl as object, 'ssl');
}

/** What a client calls the text that may stand in place of its configuration. */
type ConnectionString = 'connection string' | 'URI' | 'URL';

/**
 * Drivers let a connection string override the configuration, and their versions read odd strings differently. So every part is checked
 * that one of them could take for a parameter. The string holds a password, so no message contains it.
 *
 * @param refused the names of the parameters that would let another code make the connection
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

/** Only a plain word of the text is shown. */
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

/**
 * `given` with properties of ours. They are copied one by one: a spread would lose properties that are not enumerable, and would call
 * getters.
 */
export function withOwn<Given extends object, Own extends object>(given: Given, own: Own): Given & Own {
  const properties = { ...Object.getOwnPropertyDescriptors(given), ...Object.getOwnPropertyDescriptors(own) };
  return Object.defineProperties({} as Given & Own, properties);
}

/**
 * As {@link withOwn}, for what a driver is given. Our properties go into every copy, and nobody can overwrite them in place. Sequelize, for
 * example, assigns the parameters of a connection string to the very object that it was given.
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

/** Gives `pinned` its form for `JSON.stringify`. It is not copied with the object: a copy would print what it was made from. */
export function withToJson<Pinned extends object>(pinned: Pinned, toJSON: () => object, where: string): Pinned {
  return hold(pinned, 'toJSON', toJSON, where, false);
}

/**
 * A property that nobody can overwrite. An attempt gets an error in plain words. mssql, for example, assigns what it has read from a
 * string.
 */
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
