// @ts-check
'use strict';
const { Console } = require('node:console');
const { Writable } = require('node:stream');

const levels = /** @type {const} */ (['log', 'info', 'debug', 'warn', 'error', 'trace']);

/** Longest text of one line, in characters. */
const LINE = 16_384;

/**
 * Replaces the console of the process, for the script and for the modules that it loads.
 *
 * @param {(level: string, text: string) => void} print
 */
function captureConsole(print) {
  let level = 'log';
  const sink = (/** @type {string} */ name) =>
    new Writable({
      decodeStrings: false,
      write: (chunk, _encoding, done) => {
        print(level === 'log' ? name : level, String(chunk).replace(/\n$/, '').slice(0, LINE));
        done();
      },
    });
  const captured = new Console({ stdout: sink('log'), stderr: sink('error'), colorMode: false });
  for (const name of levels) {
    const original = captured[name].bind(captured);
    captured[name] = (/** @type {unknown[]} */ ...values) => {
      level = name;
      original(...values);
      level = 'log';
    };
  }
  globalThis.console = captured;
}

module.exports = { captureConsole };
