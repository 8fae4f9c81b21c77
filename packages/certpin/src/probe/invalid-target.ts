import { CertpinError } from '../errors.ts';

/** The text is not repeated: a mistyped connection string still holds its password. */
export function invalidTarget(reason: string): CertpinError<'ERR_TARGET_INVALID'> {
  return new CertpinError('ERR_TARGET_INVALID', `the target cannot be used: ${reason}`, { reason });
}
