/** What became of a case: OpenSSL does not take it, both say the same of it, or where they differ. */
export type Outcome = 'rejected' | 'same' | Difference;

export interface Difference {
  readonly difference: string;
  /** DER: the certificate; of a chain leaf, intermediate and root. */
  readonly certificates: readonly Buffer[];
}
