import type { X509Certificate } from 'node:crypto';
import type { HandshakeFacts, Problem } from '../leaf/checks.ts';
import type { Pin } from '../leaf/pin.ts';
import type { Certificate } from './certificate.ts';
import type { Policy } from './policy-type.ts';

/** What is known of the server after a TLS handshake. */
export interface Peer extends HandshakeFacts {
  /** The presented certificates, DER or parsed. The leaf comes first, the others in any order. Empty: no certificate was presented. */
  readonly certificates: readonly (Uint8Array | X509Certificate | Certificate)[];
  /** The host that was called: a name or an IP address. Needed if the policy requires a host name. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Whether Node's own CA verification passed. Needed if the policy requires it. */
  readonly authorized?: boolean | undefined;
  /** Node's code if it did not pass, for example `DEPTH_ZERO_SELF_SIGNED_CERT`. */
  readonly authorizationError?: string | undefined;
  /** The certificates are from a file: no server was asked. Default false. */
  readonly fromFile?: boolean | undefined;
}

/** What a verdict was made on. */
export interface Evidence {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly presented: readonly Certificate[];
  readonly policy: Policy;
  /** The certificates are from a file: no server has presented them. */
  readonly fromFile?: true;
}

/** The connection may be used. */
export interface Matched extends Evidence {
  readonly ok: true;
  readonly pin: Pin;
  /** Whose pin it was. */
  readonly matched: 'leaf' | 'issuer';
  /** The presented certificate that matched. */
  readonly certificate: Certificate;
}

/** The connection must not be used. */
export interface Refused extends Evidence, Problem {
  readonly ok: false;
  /** The IP address that was called, if certpin made the connection itself. A name may have several. */
  readonly address?: string;
}

export type Verdict = Matched | Refused;
