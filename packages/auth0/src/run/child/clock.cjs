// @ts-check
'use strict';

/**
 * Replaces `Date` by a clock of ours. So time can pass for the script between OpenSSL's check of a certificate and its own. A server makes
 * this time pass if it delays the end of the handshake.
 *
 * @returns {(ms: number) => void} how far it is ahead from now on
 */
function takeClock() {
  const Genuine = Date;
  let ahead = 0;
  const now = () => Genuine.now() + ahead;
  const Clock = new Proxy(Genuine, {
    apply: () => new Genuine(now()).toString(),
    construct: (target, values, made) => Reflect.construct(target, values.length === 0 ? [now()] : values, made),
    get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  });
  Genuine.prototype.constructor = Clock;
  globalThis.Date = Clock;
  return (ms) => {
    ahead = ms;
  };
}

module.exports = { takeClock };
