// @ts-check
'use strict';
// The error classes that the platform puts into a script's scope, and the parts of an error that leave the container.

class PlatformError extends Error {
  /**
   * @param {string} name
   * @param {string | undefined} message
   * @param {object} fields
   */
  constructor(name, message, fields) {
    super(message);
    Object.defineProperty(this, 'name', { value: name, enumerable: false });
    Object.assign(this, fields);
  }
}

class WrongUsernameOrPasswordError extends PlatformError {
  /**
   * @param {string | null | undefined} userId
   * @param {string} [message]
   */
  constructor(userId, message) {
    super('WrongUsernameOrPasswordError', message, {
      code: 'wrongusernameorpassword',
      statusCode: 400,
      user_id: userId,
    });
  }
}

class ValidationError extends PlatformError {
  /**
   * @param {string} code
   * @param {string} [message]
   */
  constructor(code, message) {
    super('ValidationError', message, { code, description: message, statusCode: 400 });
  }
}

class UnauthorizedError extends PlatformError {
  /** @param {string} [message] */
  constructor(message) {
    super('UnauthorizedError', message, { code: 'unauthorized', description: message, statusCode: 401 });
  }
}

/** @param {string} name */
const simple = (name) =>
  ({
    [name]: class extends PlatformError {
      /** @param {string} [message] */
      constructor(message) {
        super(name, message, {});
      }
    },
  })[name];

/** @param {string} name */
const friendly = (name) =>
  ({
    [name]: class extends PlatformError {
      /**
       * @param {string} [message]
       * @param {string} [friendlyMessage]
       */
      constructor(message, friendlyMessage) {
        super(name, message, { friendlyMessage });
      }
    },
  })[name];

/** By name. The parent says which of them a kind of script has. */
const errorClasses = {
  WrongUsernameOrPasswordError,
  ValidationError,
  UnauthorizedError,
  InvalidScopeError: simple('InvalidScopeError'),
  InvalidRequestError: simple('InvalidRequestError'),
  ServerError: simple('ServerError'),
  PreUserRegistrationError: friendly('PreUserRegistrationError'),
  SendPhoneMessageError: friendly('SendPhoneMessageError'),
};

/** Node's own additions, which nobody misses. */
const technical = ['errno', 'syscall', 'address', 'port', 'path', 'hostname', 'toString'];

const kept = ['name', 'message', 'code', 'description', 'user_id', 'stack', 'status_code'];

/**
 * An error as it leaves the container: seven properties of it, or with `own` (Hooks) all that are its own.
 *
 * @param {any} error
 * @param {boolean} own
 */
function serializeError(error, own) {
  if (error === null || (typeof error !== 'object' && typeof error !== 'function'))
    return { serialized: { message: String(error) }, lost: [] };
  const lost = Object.getOwnPropertyNames(error).filter((key) => !kept.includes(key));
  const keys = own ? [...kept, ...lost] : kept;
  /** @type {Record<string, unknown>} */
  const serialized = {};
  for (const key of keys) {
    const value = toJson(error[key], () => undefined);
    if (error[key] !== undefined) serialized[key] = value;
  }
  if (typeof serialized.stack === 'string') serialized.stack = ownFrames(serialized.stack);
  // What the platform's own classes set is lost by design, and is not reported.
  const missed = own || error instanceof PlatformError ? [] : lost.filter((key) => !technical.includes(key));
  return { serialized, lost: missed };
}

/**
 * Without the frames of this program, which stand below those of the script.
 *
 * @param {string} stack
 */
function ownFrames(stack) {
  const lines = stack.split('\n');
  const end = lines.findIndex((line) => line.includes(__dirname));
  return (end === -1 ? lines : lines.slice(0, end)).join('\n');
}

/**
 * The value on the other side of the platform's HTTP: JSON.
 *
 * @param {unknown} value
 * @param {(message: string) => void} refuse
 */
function toJson(value, refuse) {
  if (value === undefined) return null;
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null');
  } catch (error) {
    refuse(`a value cannot be written as JSON: ${/** @type {Error} */ (error).message.split('\n')[0]}`);
    return null;
  }
}

module.exports = { errorClasses, serializeError, toJson };
