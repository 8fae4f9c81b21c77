// @ts-check
'use strict';
const childProcess = require('node:child_process');
const dgram = require('node:dgram');
const { syncBuiltinESMExports } = require('node:module');
const { Socket } = require('node:net');
const workerThreads = require('node:worker_threads');

/**
 * Tells of every TCP connection that the script asks for, and leads it elsewhere: to where `redirects` says, or to the next spare port
 * of this machine. Only in this process, and below TLS: the name that a certificate is compared with stays the one that the script
 * wrote.
 *
 * @param {{ redirects: { host: string, port: number, via: number }[], spare: number[] }} map
 * @param {(connection: { host: string, port: number, via: number | null }) => void} tell
 */
function watchConnections({ redirects, spare }, tell) {
  const { connect } = Socket.prototype;
  /** @this {import('node:net').Socket} */
  Socket.prototype.connect = /** @type {any} */ (
    function watched(/** @type {any[]} */ ...values) {
      // net.connect() and tls.connect() hand on their arguments in one array, which is marked as such.
      const list = Array.isArray(values[0]) ? values[0] : values;
      const given = typeof list[0] === 'object' && list[0] !== null ? list[0] : { port: list[0], host: list[1] };
      if (given.path || given.port === undefined || !isPort(given.port))
        return connect.apply(this, /** @type {any} */ (values));
      const host = typeof given.host === 'string' ? given.host : 'localhost';
      const port = Number(given.port);
      const free = spare[0];
      if (!redirects.some((entry) => entry.host === host && entry.port === port) && free !== undefined) {
        redirects.push({ host, port, via: free });
        spare.shift();
      }
      const redirect = redirects.find((entry) => entry.host === host && entry.port === port);
      tell({ host, port, via: redirect?.via ?? null });
      if (redirect === undefined) return connect.apply(this, /** @type {any} */ (values));
      const options = { ...given, host: '127.0.0.1', port: redirect.via };
      if (list !== values) {
        list[0] = options;
        return connect.apply(this, /** @type {any} */ (values));
      }
      const callback = values.find((value) => typeof value === 'function');
      return connect.call(this, options, callback);
    }
  );
}

/** Whether Node would connect to it; it refuses everything else itself. */
function isPort(/** @type {unknown} */ port) {
  const number = Number(port);
  return Number.isInteger(number) && number >= 0 && number < 65_536;
}

/**
 * Tells of the ways on which bytes can leave that no relay stands in: other threads and processes, sockets of this machine, datagrams.
 *
 * @param {(way: string) => void} tell
 */
function watchOtherWays(tell) {
  before(Socket.prototype, 'connect', ([first]) => {
    const [given] = Array.isArray(first) ? first : [first];
    const isPath = typeof given === 'string' ? Number.isNaN(Number(given)) : Boolean(given?.path);
    if (isPath) tell('a socket of this machine');
  });
  before(dgram.Socket.prototype, 'send', () => tell('datagrams'));
  before(/** @type {any} */ (childProcess).ChildProcess.prototype, 'spawn', () => tell('another process'));
  for (const name of ['spawnSync', 'execSync', 'execFileSync']) {
    before(childProcess, name, () => tell('another process'));
  }
  workerThreads.Worker = class extends workerThreads.Worker {
    /** @param {ConstructorParameters<typeof workerThreads.Worker>} values */
    constructor(...values) {
      tell('another thread');
      super(...values);
    }
  };
  syncBuiltinESMExports();
}

/**
 * @param {any} holder
 * @param {string} name
 * @param {(values: any[]) => void} look
 */
function before(holder, name, look) {
  const original = holder[name];
  /** @this {any} */
  holder[name] = function watched(/** @type {any[]} */ ...values) {
    look(values);
    return original.apply(this, values);
  };
}

module.exports = { watchConnections, watchOtherWays };
