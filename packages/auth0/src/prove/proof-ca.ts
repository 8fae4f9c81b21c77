import { caExtension, generate, type Keys, sign } from './certificates.ts';

/** A CA of the proof's own. A script can be made to trust it. */
export interface ProofCa {
  readonly pem: string;
  readonly keys: Keys;
}

export const PROOF_CA = 'CN=Proof CA, O=certpin';

export async function mintProofCa(): Promise<ProofCa> {
  const keys = await generate({ name: 'ECDSA', namedCurve: 'P-256' });
  const certificate = await sign({
    subject: PROOF_CA,
    issuer: PROOF_CA,
    keys,
    signer: keys,
    extensions: [caExtension()],
  });
  return { pem: certificate.toString('pem'), keys };
}
