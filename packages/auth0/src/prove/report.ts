import type { CertpinErrorCode } from 'certpin';
import type { RunResult } from '../run/result.ts';
import type { Arrival } from './evidence.ts';
import type { Opening } from './opening.ts';

/** Who takes the server's place. */
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
 * When the impostor comes. `at-once`: at the first connection. `after-reset`, `after-refusal`, `after-stall`: after a first connection that
 * fails in this way. `again`: at a second login in the same container. `warm`: after a login that met the genuine server.
 */
export type Moment = 'at-once' | 'after-reset' | 'after-refusal' | 'after-stall' | 'again' | 'warm';

/** The result of the proof: plain JSON. Fields are added, never renamed. */
export interface ProofReport {
  readonly script: string;
  readonly kind: RunResult['kind'];
  readonly name: string;
  readonly node: string;
  /**
   * `held`: the script worked with the genuine server, gave no impostor of the report a byte, and compared something that only this
   * certificate has. `leaked`: it gave an impostor something. `unproved`: no impostor got anything, but something is missing, as the
   * reasons say.
   */
  readonly finding: 'held' | 'leaked' | 'unproved';
  /** Why the finding is not `held`, with one sentence for each reason. */
  readonly reasons: readonly string[];
  /** The run with the genuine servers, through relays that pass everything on. */
  readonly control: RunSummary;
  readonly servers: readonly ServerProof[];
  /** The trials with impostors in the place of all servers, if there are several. */
  readonly together: readonly Trial[];
  readonly durationMs: number;
}

export interface ServerProof {
  readonly host: string;
  readonly port: number;
  readonly speech: Opening['speech'];
  /** Whether the script asks for TLS. */
  readonly tls: boolean;
  /** SHA-256 of the genuine certificate. null: it could not be fetched. */
  readonly certificateSha256: string | null;
  readonly trials: readonly Trial[];
}

export interface Trial extends Arrival {
  readonly impostor: ImpostorName;
  readonly moment: Moment;
  /** Connections to the server that were passed on before: an attacker can choose which connection to take over. */
  readonly passedOn: number;
  /** What the script looked at in the impostor's certificate: properties and methods of Node's certificate, sorted. */
  readonly lookedAt: readonly string[];
  /** Whether OpenSSL accepted the impostor's certificate by the script's own trust list. null: no handshake was completed. */
  readonly trusted: boolean | null;
  /** Servers to which the script connected only in this run, and which were not examined: `host:port`. */
  readonly elsewhere: readonly string[];
  readonly run: RunSummary;
}

/** The part of a run that shows its outcome. */
export interface RunSummary {
  readonly status: RunResult['status'];
  /** The error of the script. null: it had none. */
  readonly error: { readonly name: string; readonly code: string | null; readonly message: string } | null;
  /**
   * The code of certpin's error, if the script's error contains it or the script printed it. The script's own error may be a neutral one.
   */
  readonly certpinCode: CertpinErrorCode | null;
  /**
   * The code of what went wrong, if the script's own error is a neutral one. It is certpin's code, or that of Node, of TLS or of a driver.
   * It was found in the script's error, or in what the script printed.
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
  renewed: 'the same names, issued again by a CA that the script trusts: valid for longer, with a key of another kind',
  'stolen-certificate': 'the genuine certificate, without its key',
  plaintext: 'no TLS',
};
