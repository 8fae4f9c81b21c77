/**
 * The plaintext conversation in which both sides agree to speak TLS. It is a state machine without sockets: it gets the bytes of the server
 * and says what to do. One object serves one connection.
 */
export interface UpgradeProtocol {
  /** As in messages and reports: `postgres`. */
  readonly name: string;
  /** What the client says first. undefined: the server speaks first. */
  readonly opening?: Uint8Array | undefined;
  /**
   * Takes all bytes that the server has sent since the last call.
   *
   * @returns what to do next
   * @throws CertpinError `ERR_UPGRADE_REFUSED`, `ERR_UPGRADE_UNEXPECTED`; `ERR_UPGRADE_INJECTED` if more bytes follow the consent to TLS.
   * Such plaintext bytes would be taken for the server's own (CVE-2011-0411, CVE-2021-23222)
   */
  receive(bytes: Uint8Array): UpgradeStep;
  /**
   * Called once, when the conversation begins. `proceed` takes a step that did not follow from the server's bytes: it came from the driver,
   * or from a timer.
   */
  readonly attach?: ((proceed: (step: UpgradeStep) => void) => void) | undefined;
  /** Present if TLS is sent inside the protocol's own packets during the handshake. */
  readonly envelope?: Envelope | undefined;
}

/** Puts the bytes of TLS into packets, while the handshake lasts. */
export interface Envelope {
  /** What is sent in place of bytes of TLS. */
  wrap(bytes: Uint8Array): Uint8Array;
  /**
   * The TLS bytes in the first packet that came, and the bytes behind it. These may end the handshake, so the bytes behind it may be in no
   * packet. An incomplete packet is kept until the next call.
   *
   * @throws CertpinError `ERR_UPGRADE_UNEXPECTED`
   */
  unwrap(bytes: Uint8Array): { readonly content: Uint8Array; readonly rest: Uint8Array };
}

export type UpgradeStep =
  /** `isOver`: nothing more will come. The connection ends, and so does the driver, which was shown the reason. */
  | { readonly next: 'wait'; readonly isOver?: boolean; readonly bytes?: undefined }
  | { readonly next: 'send'; readonly bytes: Uint8Array; readonly isOver?: undefined }
  /**
   * The next byte on the wire belongs to TLS. `bytes`, if there are any, are the last ones before it. `rest` has already come, and belongs
   * to another plaintext conversation that follows.
   */
  | { readonly next: 'tls'; readonly bytes?: Uint8Array; readonly rest?: Uint8Array; readonly isOver?: undefined };

/** An upgrade in which the driver takes part: it reads the server's greeting and answers it, and TLS begins in between. */
export interface MediatedUpgrade extends UpgradeProtocol {
  readonly attach: (proceed: (step: UpgradeStep) => void) => void;
  /**
   * Takes what the driver wrote. It becomes another function as the login goes on, as does {@link fromServer}.
   *
   * @returns what to send to the verified server in its place, once the server is verified. Nothing: more must come first
   * @throws CertpinError `ERR_CLIENT_UNSUPPORTED` if the driver says something that cannot be taken apart safely
   */
  fromDriver: (bytes: Uint8Array) => Uint8Array;
  /** Takes what the verified server sent, and returns what the driver must read in its place. */
  fromServer: (bytes: Uint8Array) => Uint8Array;
}
