import type { X509Certificate } from 'node:crypto';
import type { HandshakeFacts, Problem } from '../leaf/checks.ts';
import type { Pin } from '../leaf/pin.ts';
import type { Certificate } from './certificate.ts';
import type { Policy } from './policy-type.ts';

/** What is known of the server after a TLS handshake. */
export interface Peer extends HandshakeFacts {
  /** The presented certificates, DER or parsed; the leaf first, the others in any order. Empty: none was presented. */
  readonly certificates: readonly (Uint8Array | X509Certificate | Certificate)[];
  /** The host that was asked for: a name or an IP address. Needed where the policy requires a host name. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Whether Node's own CA verification passed. Needed where the policy requires it. */
  readonly authorized?: boolean | undefined;
  /** Node's code where it did not, for example `DEPTH_ZERO_SELF_SIGNED_CERT`. */
  readonly authorizationError?: string | undefined;
  /** The certificates are a file's: no server was asked, and none has presented anything. Default false. */
  readonly fromFile?: boolean | undefined;
}

/** What a verdict was made on. */
export interface Evidence {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly presented: readonly Certificate[];
  readonly policy: Policy;
  /** No server has presented the certificates: they are a file's. */
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
  /** The IP address that was called, where the connection is certpin's own: several may stand behind one name. */
  readonly address?: string;
}

export type Verdict = Matched | Refused;
