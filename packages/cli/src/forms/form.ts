import type { Certificate } from 'certpin';
import type { Protocol, Target } from 'certpin/probe';

/** A certificate that was read, with what a form needs of it. */
export interface Subject {
  readonly target: Target;
  /** Every presented certificate, the server's own first. */
  readonly certificates: readonly [Certificate, ...Certificate[]];
  readonly servername: string | undefined;
  readonly envName: string | undefined;
}

export interface Form {
  /** For the table of `certpin help get`. */
  readonly meaning: string;
  readonly print: (subject: Subject) => string;
  /** The same for every presented certificate. undefined: only the server's own makes sense. */
  readonly printChain?: (subject: Subject) => string;
  /** Whether a blank line stands between two of them. */
  readonly isBlock?: true;
  /** Why the form does not fit this target. undefined: it fits. */
  readonly refusal?: (target: Target) => string | undefined;
  /** The protocol in which a server is asked, if its port does not say. */
  readonly protocol?: Protocol;
}
