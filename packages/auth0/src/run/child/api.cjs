// @ts-check
'use strict';
const { toJson } = require('./errors.cjs');
const { createCache } = require('./cache.cjs');
const { encodeToken, validateToken } = require('./token.cjs');

/** Caches live as long as the container, one for each trigger. */
const caches = new Map();

/**
 * `api` of an Action: every method of the trigger, each call of which is reported. Methods return the whole `api`, as the platform's do,
 * except those that answer.
 *
 * @param {{ name: string, methods: string[], returns: Record<string, unknown> }} job
 * @param {any} event
 * @param {(message: object) => void} report
 */
function createApi({ name, methods, returns }, event, report) {
  /** @type {any} */
  const api = {};
  if (!caches.has(name)) caches.set(name, createCache());
  /** @type {Record<string, (...values: any[]) => unknown>} */
  const answers = {
    ...caches.get(name),
    'redirect.canRedirect': () => true,
    'redirect.encodeToken': (options) => encodeToken(options, event),
    'redirect.validateToken': (options) => validateToken(options, event),
    'rules.wasExecuted': () => false,
    // By default, nobody is a member of anything.
    'groups.getUserGroups': async () => ({ groups: [] }),
    'groups.hasGroupMembership': async () => ({ hasGroupMembership: false }),
    'roles.getUserEffectiveRoles': async () => ({ roles: [] }),
    'roles.getUserEffectiveRolesByIds': async () => ({ roles: [] }),
    'roles.getUserEffectiveRolesByNames': async () => ({ roles: [] }),
    'transaction.setMetadata': (key, value) => {
      if (event.transaction) event.transaction.metadata = { ...event.transaction.metadata, [key]: value };
      return api;
    },
  };
  for (const method of methods) {
    const [group = '', last = ''] = method.split('.');
    api[group] ??= {};
    api[group][last] = (/** @type {unknown[]} */ ...values) => {
      report({ type: 'call', method, arguments: values.map((value) => toJson(value, () => undefined)) });
      if (method in returns) return returns[method];
      return method in answers ? answers[method]?.(...values) : api;
    };
  }
  return api;
}

module.exports = { createApi };
