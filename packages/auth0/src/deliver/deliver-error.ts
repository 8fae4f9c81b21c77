import type { Place } from '@certpin/pins-file';

export type DeliverErrorCode =
  /** The set does not match what an address presents, or an address was not reached. */
  | 'ERR_UNION'
  /** Values are needed that cannot be read. */
  | 'ERR_VALUES'
  /** The file of such values cannot be read. */
  | 'ERR_VALUES_FILE'
  /** Something would be lost. */
  | 'ERR_LOSS'
  /** A place cannot be used: there is no such connection, no marked line, or the path leads out of the folder. */
  | 'ERR_PLACE'
  /** Somebody else has changed it since it was read. */
  | 'ERR_CHANGED'
  /** A draft contains changes of somebody else. */
  | 'ERR_DRAFT'
  /** Another tool writes this tenant. */
  | 'ERR_OWNER'
  /** After the write, the place differs from what was written. */
  | 'ERR_DIFFERENCE'
  /** A login of the canary was refused. */
  | 'ERR_LOGIN'
  /** A login of the canary could not be tried. */
  | 'ERR_NOT_VERIFIED'
  /** A command has failed. */
  | 'ERR_COMMAND'
  /** The signal has ended it after the first write. */
  | 'ERR_INTERRUPTED'
  /** Nothing can be taken back. */
  | 'ERR_UNDO';

/** Why a delivery is refused, or was not made. It contains no secret, and no value that was read. */
export class DeliverError extends Error {
  readonly code: DeliverErrorCode;
  readonly place: Place | undefined;
  /** What to do, as text to paste, if it does not fit into the message. */
  readonly hint: string | undefined;

  constructor(code: DeliverErrorCode, message: string, place?: Place, hint?: string) {
    super(message);
    this.code = code;
    this.place = place;
    this.hint = hint;
  }
}
