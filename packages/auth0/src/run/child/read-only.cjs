// @ts-check
'use strict';
// On node22, the platform has no writable file system.
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

const writers = [
  ...[
    'appendFile',
    'chmod',
    'chown',
    'copyFile',
    'cp',
    'lchown',
    'link',
    'lutimes',
    'mkdir',
    'mkdtemp',
    'rename',
    'rm',
  ],
  ...['rmdir', 'symlink', 'truncate', 'unlink', 'utimes', 'writeFile'],
];

function makeReadOnly() {
  for (const name of writers) {
    refuse(fs, name, (error, values) => {
      const callback = values.at(-1);
      if (typeof callback !== 'function') throw error;
      process.nextTick(callback, error);
    });
    refuse(fs, `${name}Sync`, (error) => {
      throw error;
    });
    refuse(fs.promises, name, (error) => Promise.reject(error));
  }
  for (const [holder, name] of /** @type {const} */ ([
    [fs, 'open'],
    [fs, 'openSync'],
    [fs.promises, 'open'],
  ])) {
    const open = /** @type {any} */ (holder)[name];
    /** @type {any} */ (holder)[name] = (/** @type {any[]} */ ...values) => {
      if (!writes(values[1])) return open(...values);
      const error = erofs('open', values[0]);
      if (holder === fs.promises) return Promise.reject(error);
      const callback = values.at(-1);
      if (typeof callback !== 'function') throw error;
      process.nextTick(callback, error);
    };
  }
  syncBuiltinESMExports();
}

/**
 * @param {any} holder
 * @param {string} name
 * @param {(error: Error, values: any[]) => unknown} answer
 */
function refuse(holder, name, answer) {
  if (typeof holder[name] !== 'function') return;
  holder[name] = (/** @type {any[]} */ ...values) => answer(erofs(name, values[0]), values);
}

/** @param {unknown} flags of `open`: letters, or a number of bits */
function writes(flags) {
  const { O_WRONLY, O_RDWR, O_CREAT } = fs.constants;
  if (typeof flags === 'number') return (flags & (O_WRONLY | O_RDWR | O_CREAT)) !== 0;
  return typeof flags === 'string' && /[wa+]/.test(flags);
}

/**
 * @param {string} syscall
 * @param {unknown} path
 */
function erofs(syscall, path) {
  const error = new Error(`EROFS: read-only file system, ${syscall} '${path}'`);
  return Object.assign(error, { code: 'EROFS', errno: -30, syscall, path });
}

module.exports = { makeReadOnly };
