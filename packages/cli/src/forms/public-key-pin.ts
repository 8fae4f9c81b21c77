import { CertpinError, type Pin, parsePin } from 'certpin';

/** Why there is none: said in place of a pin. */
export const noPublicKeyPin = 'none: the key is not written in DER';

/** @throws CertpinError `ERR_PIN_INVALID` where no public-key pin can be on the certificate */
export function publicKeyPin({ publicKeySha256 }: { readonly publicKeySha256: string | null }): Pin {
  if (publicKeySha256 !== null) return parsePin(`sha256:${publicKeySha256}`);
  const found = 'the key of this certificate is not written in DER, so pin the certificate';
  throw new CertpinError('ERR_PIN_INVALID', `there is no public-key pin: ${found}`, { position: 1, found });
}
