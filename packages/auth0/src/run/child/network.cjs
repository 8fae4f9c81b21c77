// @ts-check
'use strict';
const { Socket } = require('node:net');

/**
 * Tells of every TCP connection that the script asks for, and leads those in `redirects` elsewhere. Only in this process, and below
 * TLS: the name that a certificate is compared with stays the one that the script wrote.
 *
 * @param {{ host: string, port: number, to: { host: string, port: number } }[]} redirects
 * @param {(host: string, port: number) => void} tell
 */
function watchConnections(redirects, tell) {
  const { connect } = Socket.prototype;
  /** @this {import('node:net').Socket} */
  Socket.prototype.connect = /** @type {any} */ (
    function watched(/** @type {any[]} */ ...values) {
      // net.connect() and tls.connect() hand on their arguments in one array, which is marked as such.
      const list = Array.isArray(values[0]) ? values[0] : values;
      const given = typeof list[0] === 'object' && list[0] !== null ? list[0] : { port: list[0], host: list[1] };
      if (given.path || given.port === undefined) return connect.apply(this, /** @type {any} */ (values));
      const host = typeof given.host === 'string' ? given.host : 'localhost';
      const port = Number(given.port);
      tell(host, port);
      const redirect = redirects.find((entry) => entry.host === host && entry.port === port);
      if (redirect === undefined) return connect.apply(this, /** @type {any} */ (values));
      const options = { ...given, ...redirect.to };
      if (list !== values) {
        list[0] = options;
        return connect.apply(this, /** @type {any} */ (values));
      }
      const callback = values.find((value) => typeof value === 'function');
      return connect.call(this, options, callback);
    }
  );
}

module.exports = { watchConnections };
