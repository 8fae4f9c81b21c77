/** Why what is known cannot be read or written down. */
export class StoreError extends Error {
  readonly code = 'ERR_STORE';
  /** Whether it may be gone later: a full disk, another process that writes. */
  readonly mayPass: boolean;

  constructor(message: string, mayPass: boolean, options?: ErrorOptions) {
    super(message, options);
    this.mayPass = mayPass;
  }
}
