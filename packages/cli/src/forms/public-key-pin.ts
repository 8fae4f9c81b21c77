import { CertpinError, type Pin, parsePin } from 'certpin';

/** Printed in place of a pin if there is none. */
export const noPublicKeyPin = 'none: the key is not written in DER';

/** @throws CertpinError `ERR_PIN_INVALID` if the certificate cannot have a public-key pin */
export function publicKeyPin({ publicKeySha256 }: { readonly publicKeySha256: string | null }): Pin {
  if (publicKeySha256 !== null) return parsePin(`sha256:${publicKeySha256}`);
  const found = 'the key of this certificate is not written in DER, so pin the certificate';
  throw new CertpinError('ERR_PIN_INVALID', `there is no public-key pin: ${found}`, { position: 1, found });
}
