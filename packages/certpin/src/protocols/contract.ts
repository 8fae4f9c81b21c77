/**
 * The plaintext conversation that ends with both sides agreeing to speak TLS. A state machine without sockets: it is given the
 * bytes that the server sent and says what to do. One object serves one connection.
 */
export interface UpgradeProtocol {
  /** As in messages and reports: `postgres`. */
  readonly name: string;
  /** What the client says first; undefined where the server speaks first. */
  readonly opening: Uint8Array | undefined;
  /**
   * Takes all bytes that the server has sent since the last call.
   *
   * @returns what to do next
   * @throws CertpinError `ERR_UPGRADE_REFUSED`, `ERR_UPGRADE_UNEXPECTED`; `ERR_UPGRADE_INJECTED` where more bytes stand behind the
   * consent to TLS: whatever is read in plaintext after it would be taken for the server's (CVE-2011-0411, CVE-2021-23222)
   */
  receive(bytes: Uint8Array): UpgradeStep;
}

export type UpgradeStep =
  | { readonly next: 'wait' }
  | { readonly next: 'send'; readonly bytes: Uint8Array }
  /** The next byte on the wire belongs to TLS. */
  | { readonly next: 'tls' };
