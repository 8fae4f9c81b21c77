/** The outcome of a case: OpenSSL does not accept it, both agree, or where they differ. */
export type Outcome = 'rejected' | 'same' | Difference;

export interface Difference {
  readonly difference: string;
  /** DER: the certificate; of a chain leaf, intermediate and root. */
  readonly certificates: readonly Buffer[];
}
