import { optionInvalid } from '../errors.ts';

/** An empty object that nobody can change. Not null itself: V8 would keep every copy in a table, which Node reads slowly. */
const nothing: object = Object.freeze(Object.create(null));

/**
 * The options that the caller gave, in a copy that inherits nothing. `Object.prototype` may have properties from anybody. A `pins` or
 * `servername` there must not apply to all clients.
 */
export function ownOptions<Options extends object>(options: Options): Options {
  return Object.assign(Object.create(nothing), options) as Options;
}

/**
 * Refuses unknown options: a misspelt security option is never ignored.
 *
 * @param where names the object in the message
 * @param hint what to add to the name of an unknown option
 * @throws CertpinError `ERR_OPTION_INVALID` unless it is an object, and for the first own key of `options` that has a value and is not in
 * `known`
 */
export function refuseUnknown(
  options: object,
  known: readonly string[],
  where: string,
  hint: (option: string) => string = () => '',
): void {
  if (typeof options !== 'object' || options === null) throw optionInvalid(where, `${where}: must be an object`);
  for (const [option, value] of Object.entries(options)) {
    if (known.includes(option) || value === undefined) continue;
    throw optionInvalid(shownOption(option), `unknown ${where} option \`${shownOption(option)}\`${hint(option)}`);
  }
}

/**
 * Refuses options that would let another code make the connection.
 *
 * @param refused the reason, by the name of the option
 * @param toError undefined: this option is accepted
 */
export function refuseOptions(
  options: object,
  refused: Readonly<Record<string, string>>,
  toError: (option: string, why: string) => Error | undefined,
): void {
  for (const [option, why] of Object.entries(refused)) {
    const value = Object.hasOwn(options, option) ? (options as Record<string, unknown>)[option] : undefined;
    const error = value === undefined ? undefined : toError(option, why);
    if (error !== undefined) throw error;
  }
}

/** The name of an option. Only a word is repeated: a URL in its place holds a password. */
export function shownOption(option: string): string {
  return /^[\w$-]{1,60}$/.test(option) ? option : '…';
}

/**
 * The longest time from the call to the verdict, in milliseconds. A timer with too long a delay would fire at once.
 *
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function readConnectTimeout(connectTimeoutMs: number | undefined = 10_000): number {
  if (Number.isInteger(connectTimeoutMs) && connectTimeoutMs >= 0 && connectTimeoutMs < 2 ** 31)
    return connectTimeoutMs;
  throw optionInvalid('connectTimeoutMs', '`connectTimeoutMs` must be a whole number of milliseconds, or 0');
}
