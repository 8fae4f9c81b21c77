// @ts-check
'use strict';
// Messages to the parent. The functions are taken from `process` before the script runs: otherwise, a script could send messages that pass
// for real events.

/** Messages that may wait in the pipe. What a script prints beyond that is counted and dropped. */
const BACKLOG = 1000;

const send = /** @type {NonNullable<typeof process.send>} */ (process.send).bind(process);
const channel = /** @type {NonNullable<typeof process.channel>} */ (process.channel);
let waiting = 0;
let dropped = 0;

/** @param {(message: any) => void} listen */
function openChannel(listen) {
  process.on('message', listen);
  process.on('disconnect', () => process.exit()); // The parent has gone.
  delete process.send;
}

/**
 * Says something that may be dropped when there is too much of it.
 *
 * @param {object} message
 */
function report(message) {
  if (waiting >= BACKLOG) dropped++;
  else answer(message);
}

/**
 * Says something that must arrive.
 *
 * @param {object} message
 * @param {() => void} [sent]
 */
function answer(message, sent) {
  if (!process.connected) return;
  waiting++;
  const told = dropped;
  dropped = 0;
  send(told === 0 ? message : { ...message, dropped: told }, undefined, undefined, () => {
    waiting--;
    sent?.();
  });
}

module.exports = { answer, channel, openChannel, report };
