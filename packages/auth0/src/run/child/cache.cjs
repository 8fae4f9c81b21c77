// @ts-check
'use strict';
// `api.cache`: 20 entries, keys of 64 bytes, values of 4 kB, 8 kB together. Entries live for 15 minutes by default, and for 24 hours at
// most.
const ENTRIES = 20;
const KEY_BYTES = 64;
const VALUE_BYTES = 4096;
const TOTAL_BYTES = 8192;
const LONGEST_MS = 24 * 60 * 60 * 1000;
const DEFAULT_MS = 15 * 60 * 1000;

function createCache() {
  /** @type {Map<string, { value: string, expires_at: number }>} */
  const records = new Map();
  const refused = (/** @type {string} */ code) => ({ type: 'error', code });
  const live = (/** @type {string} */ key) => {
    const record = records.get(key);
    if (record === undefined || record.expires_at > Date.now()) return record;
    records.delete(key);
    return undefined;
  };
  return {
    'cache.get': (/** @type {string} */ key) => live(key),
    'cache.delete': (/** @type {string} */ key) => {
      records.delete(key);
      return { type: 'success' };
    },
    'cache.set': (/** @type {string} */ key, /** @type {string} */ value, /** @type {any} */ options = {}) => {
      const now = Date.now();
      const { ttl = Number.POSITIVE_INFINITY, expires_at = Number.POSITIVE_INFINITY } = options;
      const earliest = Math.min(now + ttl, expires_at);
      const expires = earliest === Number.POSITIVE_INFINITY ? now + DEFAULT_MS : earliest;
      if (typeof value !== 'string') return refused('FailedToSetCacheRecord');
      if (Number.isNaN(expires) || expires > now + LONGEST_MS) return refused('InvalidExpiry');
      if (expires <= now) return refused('ItemAlreadyExpired');
      if (Buffer.byteLength(key) > KEY_BYTES) return refused('CacheKeySizeExceeded');
      if (Buffer.byteLength(value) > VALUE_BYTES) return refused('CacheValueSizeExceeded');
      for (const other of [...records.keys()]) live(other);
      const others = [...records].filter(([other]) => other !== key);
      const total = others.reduce((sum, [other, record]) => sum + size(other, record.value), size(key, value));
      if (others.length >= ENTRIES || total > TOTAL_BYTES) return refused('CacheSizeExceeded');
      const record = { value, expires_at: expires };
      records.set(key, record);
      return { type: 'success', record };
    },
  };
}

/**
 * @param {string} key
 * @param {string} value
 */
function size(key, value) {
  return Buffer.byteLength(key) + Buffer.byteLength(value);
}

module.exports = { createCache };
