// @ts-check
'use strict';
const { toJson } = require('./errors.cjs');

/** The methods of `auth0.users` that Auth0's documentation of Rules uses. */
const methods = ['updateAppMetadata', 'updateUserMetadata'];

/**
 * The global `auth0` of Rules: a Management API client that can do little. Nothing is sent; each call is reported, and answered as the
 * API would: with the user's new metadata. It takes a callback too, as the client's own methods do.
 *
 * @param {{ auth0: any, returns: Record<string, unknown> }} job
 * @param {(message: object) => void} report
 */
function createAuth0({ auth0, returns }, report) {
  /** @type {Record<string, (...values: any[]) => unknown>} */
  const users = {};
  for (const name of methods) {
    const method = `auth0.users.${name}`;
    users[name] = (id, metadata, callback) => {
      report({ type: 'call', method, arguments: [id, metadata].map((value) => toJson(value, () => undefined)) });
      const answered = method in returns ? Promise.resolve(returns[method]) : answer(method, id, metadata);
      if (typeof callback !== 'function') return answered;
      answered.then(
        (value) => callback(null, value),
        (error) => callback(error),
      );
      return undefined;
    };
  }
  return watch({ ...auth0, users: watch(users, 'auth0.users', report) }, 'auth0', report);
}

/**
 * @param {string} method
 * @param {unknown} id the user's `user_id`, or an object that has it
 * @param {any} metadata
 */
async function answer(method, id, metadata) {
  const user_id = typeof id === 'object' && id !== null ? /** @type {any} */ (id).id : id;
  if (typeof user_id !== 'string' || user_id === '')
    throw new TypeError(`${method}: the first argument is not a user_id`);
  if (typeof metadata !== 'object' || metadata === null)
    throw new TypeError(`${method}: the second argument is not an object`);
  const key = method.endsWith('updateAppMetadata') ? 'app_metadata' : 'user_metadata';
  return { user_id, [key]: toJson(metadata, () => undefined) };
}

/**
 * What is not documented is told, and is not there.
 *
 * @param {Record<string, unknown>} object
 * @param {string} name
 * @param {(message: object) => void} report
 */
function watch(object, name, report) {
  return new Proxy(object, {
    get: (target, key, receiver) => {
      if (typeof key === 'string' && !(key in target) && key !== 'toJSON' && key !== 'then')
        report({
          type: 'warning',
          code: 'auth0-undocumented',
          message: `${name}.${key} does not exist here: Auth0 does not document it for Rules`,
        });
      return Reflect.get(target, key, receiver);
    },
  });
}

module.exports = { createAuth0 };
