// @ts-check
'use strict';

/**
 * `configuration` as the script sees it. Reading a missing key and writing are reported. Neither is refused, because the platform does not
 * refuse them either.
 *
 * @param {Record<string, string | null>} values
 * @param {(message: object) => void} report
 */
function watchConfiguration(values, report) {
  return new Proxy(
    { ...values },
    {
      get: (target, key) => {
        if (typeof key === 'string' && !(key in target) && key !== 'toJSON')
          report({
            type: 'warning',
            code: 'configuration-unset',
            message: `configuration.${key} is read, and is not set`,
          });
        return Reflect.get(target, key);
      },
      set: (target, key, value) => {
        report({
          type: 'warning',
          code: 'configuration-written',
          message: `configuration.${String(key)} is written; it is read-only by convention, and the next run has the old value`,
        });
        return Reflect.set(target, key, value);
      },
    },
  );
}

module.exports = { watchConfiguration };
