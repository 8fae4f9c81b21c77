/**
 * The plaintext conversation that ends with both sides agreeing to speak TLS. A state machine without sockets: it is given the
 * bytes that the server sent and says what to do. One object serves one connection.
 */
export interface UpgradeProtocol {
  /** As in messages and reports: `postgres`. */
  readonly name: string;
  /** What the client says first; undefined where the server speaks first. */
  readonly opening?: Uint8Array | undefined;
  /**
   * Takes all bytes that the server has sent since the last call.
   *
   * @returns what to do next
   * @throws CertpinError `ERR_UPGRADE_REFUSED`, `ERR_UPGRADE_UNEXPECTED`; `ERR_UPGRADE_INJECTED` where more bytes stand behind the
   * consent to TLS: whatever is read in plaintext after it would be taken for the server's (CVE-2011-0411, CVE-2021-23222)
   */
  receive(bytes: Uint8Array): UpgradeStep;
  /**
   * Called once, when the conversation begins. `proceed` takes a step that something else than the server's bytes has brought about: the
   * driver, or time.
   */
  readonly attach?: ((proceed: (step: UpgradeStep) => void) => void) | undefined;
  /** Where TLS does not begin on the wire itself, but inside the protocol's own packets. */
  readonly envelope?: Envelope | undefined;
}

/** Packets around the bytes of TLS, while the handshake lasts. */
export interface Envelope {
  /** What is sent in place of bytes of TLS. */
  wrap(bytes: Uint8Array): Uint8Array;
  /**
   * The bytes of TLS in the first packet that came, and what stands behind it: TLS may end the handshake with the one, and the other is
   * in no packet then. What is not whole is kept until the next call.
   *
   * @throws CertpinError `ERR_UPGRADE_UNEXPECTED`
   */
  unwrap(bytes: Uint8Array): { readonly content: Uint8Array; readonly rest: Uint8Array };
}

export type UpgradeStep =
  /** `isOver`: there is nothing to wait for either. The connection goes, and the driver, which was shown why, ends by itself. */
  | { readonly next: 'wait'; readonly isOver?: boolean; readonly bytes?: undefined }
  | { readonly next: 'send'; readonly bytes: Uint8Array; readonly isOver?: undefined }
  /**
   * The next byte on the wire belongs to TLS; `bytes`, where there are some, are the last ones before it. `rest` came already, and is of
   * another conversation in plaintext that follows.
   */
  | { readonly next: 'tls'; readonly bytes?: Uint8Array; readonly rest?: Uint8Array; readonly isOver?: undefined };

/** An upgrade in which the driver takes part: it reads the server's greeting and answers it, and TLS begins in between. */
export interface MediatedUpgrade extends UpgradeProtocol {
  readonly attach: (proceed: (step: UpgradeStep) => void) => void;
  /**
   * Takes what the driver wrote. Another function as the login goes on, as is {@link fromServer}.
   *
   * @returns what is to be sent to the verified server in its place, once it is verified; nothing, where more has to come first
   * @throws CertpinError `ERR_CLIENT_UNSUPPORTED` where the driver says what cannot be taken apart safely
   */
  fromDriver: (bytes: Uint8Array) => Uint8Array;
  /** Takes what the verified server sent, and returns what the driver is to read in its place. */
  fromServer: (bytes: Uint8Array) => Uint8Array;
}
