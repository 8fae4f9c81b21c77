import { type CertpinError, optionInvalid } from '../core/errors.ts';
import { INLINE } from '../core/form.ts';

/**
 * Checks what all database drivers have in common.
 *
 * @param refused options that would take the connection out of certpin's hands, and why each is refused
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function checkDriverConfig(config: object, refused: Readonly<Record<string, string>>, where: string): void {
  if (typeof config !== 'object' || config === null)
    throw optionInvalid('config', `${where}: the configuration must be an object`);
  for (const [option, why] of Object.entries(refused))
    if (Object.hasOwn(config, option) && (config as Record<string, unknown>)[option] !== undefined)
      throw optionInvalid(option, `${where}: ${why}`);
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
  if (!INLINE && text !== undefined && typeof text !== 'string')
    throw optionInvalid(optionOf(string), `${where}: the ${string} must be a string`);
  for (const name of new URLSearchParams(String(text ?? '').replace(/[?#]/g, '&')).keys()) {
    if (!refused.test(name)) continue;
    if (INLINE) throw optionInvalid(string, `${where}: remove ssl… and its like from the ${string}: the pin decides`);
    throw parameterRefused(where, string, name);
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

export const MAKES_STREAM = 'certpin makes the stream itself; remove `stream`';
