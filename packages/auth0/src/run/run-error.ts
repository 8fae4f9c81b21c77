/** Why a script could not be run. Nothing is known of the script's own answer. */
export type RunErrorCode =
  | 'ERR_ARGUMENT_MISSING'
  | 'ERR_CONTAINER_CLOSED'
  | 'ERR_NODE_NOT_FOUND'
  | 'ERR_OPTION_INVALID'
  | 'ERR_SCRIPT_ROLE'
  | 'ERR_SCRIPT_SYNTAX'
  | 'ERR_SCRIPT_UNREADABLE';

export class RunError extends Error {
  readonly code: RunErrorCode;
  /** What to do, if there is one thing that usually helps. */
  readonly hint: string | undefined;
  /** With `ERR_ARGUMENT_MISSING`: its name. */
  readonly argument: string | undefined;

  constructor(code: RunErrorCode, message: string, hint?: string, argument?: string) {
    super(message);
    this.name = 'RunError';
    this.code = code;
    this.hint = hint;
    this.argument = argument;
  }
}
