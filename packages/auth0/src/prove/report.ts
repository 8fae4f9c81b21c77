import type { CertpinErrorCode } from 'certpin';
import type { RunResult } from '../run/result.ts';
import type { Arrival } from './evidence.ts';
import type { Opening } from './opening.ts';

/** Who stands in the server's place. */
export type ImpostorName =
  | 'another-key'
  | 'self-signed'
  | 'genuine-chain'
  | 'genuine-issuer'
  | 'trusted-ca'
  | 'trusted-namesake'
  | 'trusted-chain'
  | 'another-name'
  | 'asked-name'
  | 'common-name'
  | 'expired'
  | 'expiring'
  | 'renewed'
  | 'stolen-certificate'
  | 'plaintext';

/**
 * When it does. `at-once`; `after-reset`, `after-refusal`, `after-stall`: the first connection fails in this way; `again`: a second login
 * meets it, in the same container; `warm`: the first login met the genuine server.
 */
export type Moment = 'at-once' | 'after-reset' | 'after-refusal' | 'after-stall' | 'again' | 'warm';

/** What the proof came to: plain JSON. Fields are added, never renamed. */
export interface ProofReport {
  readonly script: string;
  readonly kind: RunResult['kind'];
  readonly name: string;
  readonly node: string;
  /**
   * `held`: the script worked with the genuine server, gave no impostor of the report a byte, and looked at what tells its certificate
   * from others. `leaked`: it gave one something. `unproved`: none got anything, and something is missing, which the reasons say.
   */
  readonly finding: 'held' | 'leaked' | 'unproved';
  /** Why the finding is not `held`, one sentence each. */
  readonly reasons: readonly string[];
  /** The run with the genuine servers, through relays that pass everything on. */
  readonly control: RunSummary;
  readonly servers: readonly ServerProof[];
  /** Impostors in the place of all servers, where there are several. */
  readonly together: readonly Trial[];
  readonly durationMs: number;
}

export interface ServerProof {
  readonly host: string;
  readonly port: number;
  readonly speech: Opening['speech'];
  /** Whether the script asks for TLS. */
  readonly tls: boolean;
  /** SHA-256 of the genuine certificate; null: it could not be asked for. */
  readonly certificateSha256: string | null;
  readonly trials: readonly Trial[];
}

export interface Trial extends Arrival {
  readonly impostor: ImpostorName;
  readonly moment: Moment;
  /** Connections to the server that were passed on before: an attacker chooses the one that he takes. */
  readonly passedOn: number;
  /** What the script looked at in the impostor's certificate: properties and methods of Node's certificate, sorted. */
  readonly lookedAt: readonly string[];
  /** Whether OpenSSL took the impostor's certificate by the script's own trust list; null: no handshake was completed. */
  readonly trusted: boolean | null;
  /** Where the script connected to in this run alone, and was not examined: `host:port`. */
  readonly elsewhere: readonly string[];
  readonly run: RunSummary;
}

/** As much of a run as tells what became of it. */
export interface RunSummary {
  readonly status: RunResult['status'];
  /** The error of the script; null where it had none. */
  readonly error: { readonly name: string; readonly code: string | null; readonly message: string } | null;
  /** The code of certpin's error, where the script's error has it or the script printed it: the error itself may be a neutral one. */
  readonly certpinCode: CertpinErrorCode | null;
  /**
   * The code of what went wrong, where the script's own error is a neutral one: certpin's, or that of Node, of TLS or of a driver, as the
   * script's error has it or the script printed it.
   */
  readonly causeCode: string | null;
  /** The call of `api` by which an Action refused. */
  readonly refusedBy: string | null;
  /** The last lines that the script printed. */
  readonly printed: readonly string[];
  readonly findings: RunResult['findings'];
}

export const impostorWords: Readonly<Record<ImpostorName, string>> = {
  'another-key': 'the same certificate with another key, issued by itself or by a forged CA of the same name',
  'self-signed': 'the same certificate with another key, issued by itself',
  'genuine-chain': 'the same certificate with another key, followed by the genuine chain',
  'genuine-issuer': 'the same certificate with another key, followed by the genuine one as if that were the issuer',
  'trusted-ca': 'the same names, issued by a CA that the script trusts',
  'trusted-namesake': 'the same names, issued by a CA that the script trusts and that has the name of the genuine one',
  'trusted-chain': 'the same names, issued by a CA that the script trusts, followed by the genuine chain',
  'another-name': 'another name, issued by a CA that the script trusts',
  'asked-name': 'the name that the script asks for, issued by a CA that the script trusts',
  'common-name': 'the name that the script asks for, only as common name, issued by a CA that the script trusts',
  expired: 'the same names, issued by a CA that the script trusts, and expired',
  expiring: 'the same names, issued by a CA that the script trusts, which expires while the script connects',
  renewed: 'the same names, issued anew by a CA that the script trusts: valid for longer, with a key of another kind',
  'stolen-certificate': 'the genuine certificate, without its key',
  plaintext: 'no TLS',
};
