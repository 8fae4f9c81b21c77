// @ts-check
'use strict';
const { syncBuiltinESMExports } = require('node:module');
const { Socket } = require('node:net');

/**
 * certpin makes a TLS socket to this address of nobody (RFC 5737 §3), and destroys it in the same tick, to see whether Node announces it.
 * Such a socket opens nothing. If it lives on, it is reported, and led nowhere.
 */
const NOBODY = '192.0.2.1';

/**
 * Reports every TCP connection that the script asks for, and redirects it: as `redirects` says, or to the next spare port of this machine.
 * This happens only in this process, and below TLS. A certificate is still compared with the name that the script wrote.
 *
 * @param {{ redirects: { host: string, port: number, via: number, firstVia?: number }[], spare: number[] }} map `firstVia`: where the
 *   first of the connections goes
 * @param {(connection: { host: string, port: number, via: number | null }) => void} tell
 */
function watchConnections({ redirects, spare }, tell) {
  const { connect } = Socket.prototype;
  /** @this {import('node:net').Socket} */
  Socket.prototype.connect = /** @type {any} */ (
    function watched(/** @type {any[]} */ ...values) {
      // net.connect() and tls.connect() pass on their arguments in one array, which has a mark.
      const list = Array.isArray(values[0]) ? values[0] : values;
      const given = typeof list[0] === 'object' && list[0] !== null ? list[0] : { port: list[0], host: list[1] };
      if (given.path || given.port === undefined || !isPort(given.port))
        return connect.apply(this, /** @type {any} */ (values));
      const host = typeof given.host === 'string' ? given.host : 'localhost';
      const port = Number(given.port);
      if (host === NOBODY && port === 9) {
        process.nextTick(() => this.destroyed || tell({ host, port, via: null }));
        return connect.apply(this, /** @type {any} */ (values));
      }
      const free = spare[0];
      if (!redirects.some((entry) => entry.host === host && entry.port === port) && free !== undefined) {
        redirects.push({ host, port, via: free });
        spare.shift();
      }
      const redirect = redirects.find((entry) => entry.host === host && entry.port === port);
      const via = redirect?.firstVia ?? redirect?.via ?? null;
      if (redirect !== undefined) delete redirect.firstVia;
      tell({ host, port, via });
      if (via === null) return connect.apply(this, /** @type {any} */ (values));
      const options = { ...given, host: '127.0.0.1', port: via };
      if (list !== values) {
        list[0] = options;
        return connect.apply(this, /** @type {any} */ (values));
      }
      const callback = values.find((value) => typeof value === 'function');
      return connect.call(this, options, callback);
    }
  );
  syncBuiltinESMExports();
}

/** Whether Node would connect to it. Node itself refuses everything else. */
function isPort(/** @type {unknown} */ port) {
  const number = Number(port);
  return Number.isInteger(number) && number >= 0 && number < 65_536;
}

module.exports = { watchConnections };
