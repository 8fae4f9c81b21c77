import { optionInvalid } from '../errors.ts';
import { ownOptions, refuseUnknown } from './options.ts';
import type { Pin } from './pin.ts';
import { readPins } from './pin-text.ts';

/** What must hold for the leaf before a connection may be used. */
export interface LeafPolicy {
  /** Any match is a match. */
  readonly pins: readonly Pin[];
  /** Whether a pinned certificate passes after the end of its validity. */
  readonly expired: 'refuse' | 'accept';
}

export interface LeafPolicyOptions {
  /** Text: see {@link readPins}. */
  readonly pins?: string | readonly string[] | undefined;
  /** Default `'refuse'`. */
  readonly expired?: LeafPolicy['expired'] | undefined;
}

/**
 * Checks a policy, once, when the configuration is made.
 *
 * @throws CertpinError `ERR_PIN_INVALID`; `ERR_OPTION_INVALID` for no pin at all, an unknown option or an unknown value
 */
export function createLeafPolicy(options: LeafPolicyOptions): LeafPolicy {
  refuseUnknown(options, ['pins', 'expired'], 'policy');
  const { pins, expired } = ownOptions(options);
  if (pins === undefined) throw optionInvalid('pins', 'give `pins`');
  return Object.freeze({ pins: readPins(pins), expired: oneOf('expired', expired, ['refuse', 'accept']) ?? 'refuse' });
}

/** @throws CertpinError `ERR_OPTION_INVALID` for a value that is given and is not among `allowed` */
export function oneOf<Value extends string>(
  option: string,
  value: Value | undefined,
  allowed: readonly Value[],
): Value | undefined {
  if (value === undefined || allowed.includes(value)) return value;
  throw optionInvalid(option, `\`${option}\` must be one of '${allowed.join("', '")}'`);
}
