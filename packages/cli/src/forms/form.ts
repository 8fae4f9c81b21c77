import type { Certificate } from 'certpin';
import type { Protocol, Target } from 'certpin/probe';

/** A certificate that was read, as far as a form needs it. */
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
  /** The same for every presented certificate; undefined where only the server's own makes sense. */
  readonly printChain?: (subject: Subject) => string;
  /** A blank line stands between two of them. */
  readonly isBlock?: true;
  /** Why the form is not for this target; undefined: it is. */
  readonly refusal?: (target: Target) => string | undefined;
  /** In which protocol a server is asked, where its port does not tell. */
  readonly protocol?: Protocol;
}
