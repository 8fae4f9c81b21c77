// @ts-check
'use strict';
// The program in which a script runs: plain CommonJS for Node 18 and newer, without dependencies. It takes one message for each run. It
// reports events as they happen, so that nothing is lost if the script blocks or ends the process.
const { X509Certificate } = require('node:crypto');
const { watchCertificates } = require('./certificate.cjs');
const { answer, channel, openChannel, report } = require('./channel.cjs');
const { takeClock } = require('./clock.cjs');
const { captureConsole } = require('./console.cjs');
const { toJson, serializeError } = require('./errors.cjs');
const { watchConnections } = require('./network.cjs');
const { watchNames, watchOtherWays } = require('./other-ways.cjs');
const { makeReadOnly } = require('./read-only.cjs');
const { callScript } = require('./script.cjs');
const { extendTrust } = require('./trust.cjs');

/**
 * @typedef {{ run: number, phase: 'running' | 'settling' | 'over', calls: number, settleMs: number, job: import('./script.cjs').Job,
 *   timer?: NodeJS.Timeout }} Run
 */

const now = process.hrtime.bigint; // A script may replace it by another one.

/** @type {Run | undefined} */
let current;
/** The container goes on after an uncaught exception. `prove` runs scripts like this, because it assumes the worst about the platform. */
let survives = false;

openChannel((message) => {
  if (message.type === 'start') start(message);
  else if (message.type === 'run') begin(message);
  else if (message.type === 'stop') answer({ type: 'stopped' }); // An answer shows that the event loop is free.
});

/** @param {any} options */
function start({ readOnly, survive, network }) {
  survives = survive;
  if (readOnly) makeReadOnly();
  if (network) {
    watchConnections(network, (connection) => answer({ type: 'connection', ...connection }));
    watchOtherWays((way) => answer({ type: 'other-way', way }));
    watchNames((name) => answer({ type: 'name', ...name }));
    const pass = timePasses(network);
    watchCertificates(
      (handshake) => {
        answer({ type: 'handshake', ...handshake });
        pass(handshake.certificate);
      },
      (look) => answer({ type: 'look', ...look }),
    );
    extendTrust(network.trust);
  }
  captureConsole((level, text) => report({ type: 'console', level, text }));
  answer({ type: 'ready', node: process.version });
}

/**
 * In the handshake with an impostor, where `prove` says so.
 *
 * @param {{ trust: { genuine: string[] | null }, passesMs?: number }} network
 * @returns {(certificate: string) => void}
 */
function timePasses({ trust, passesMs }) {
  if (passesMs === undefined) return () => undefined;
  const genuine = trust.genuine?.map((pem) => new X509Certificate(pem).fingerprint256);
  const putAhead = takeClock();
  return (certificate) => {
    if (!genuine?.includes(certificate)) putAhead(passesMs);
  };
}

/** @param {any} message */
function begin({ run, job }) {
  const started = { run, phase: /** @type {const} */ ('running'), calls: 0, settleMs: job.settleMs, job };
  current = started;
  channel.unref(); // From here on, if the process has nothing left to do, the script will never answer.
  try {
    callScript(job, {
      onCallback: (values) => called(started, values),
      onReturn: () => settle(started, { type: 'returned' }),
      onException: (error, origin) => fatal(error, origin),
      onRejection: (error) => settle(started, { type: 'rejected', error: describe(error, started) }),
      report: answer,
    });
  } catch (error) {
    fatal(error, 'thrown');
  }
}

/**
 * @param {Run} run
 * @param {unknown[]} values
 */
function called(run, values) {
  run.calls++;
  if (run.phase === 'over') return answer({ type: 'late', run: run.run });
  if (run.calls > 1) return run.calls === 2 ? answer({ type: 'again' }) : undefined;
  const [error, ...rest] = values;
  settle(run, {
    type: 'callback',
    error: error ? describe(error, run) : null,
    values: rest.map((value) =>
      toJson(value, (message) => answer({ type: 'finding', code: 'not-serialisable', message })),
    ),
  });
}

/**
 * What a script does after its answer is looked at for a while: a second call, an exception.
 *
 * @param {Run | undefined} run
 * @param {object} message
 */
function settle(run, message) {
  answer(message);
  if (run?.phase !== 'running') return;
  run.phase = 'settling';
  run.timer = setTimeout(() => end(run, false), run.settleMs);
  run.timer.unref();
}

/**
 * @param {Run} run
 * @param {boolean} drained
 */
function end(run, drained) {
  run.phase = 'over';
  clearTimeout(run.timer);
  channel.ref();
  answer({ type: 'end', drained });
}

process.on('beforeExit', () => {
  if (current !== undefined && current.phase !== 'over') end(current, true);
});

process.on('uncaughtException', (error, origin) => fatal(error, origin));

/**
 * @param {unknown} error
 * @param {string} origin
 */
function fatal(error, origin) {
  const at = Number(now()); // Before anything that the script does next.
  const { serialized } = serializeError(error, current?.job.kind === 'hook');
  const message = { type: 'fatal', at, origin, calls: current?.calls ?? 0, error: serialized };
  if (survives) settle(current, { ...message, survived: true });
  else answer(message, () => process.exit(70));
}

/**
 * @param {unknown} error
 * @param {Run} run
 */
function describe(error, run) {
  const { serialized, lost } = serializeError(error, run.job.kind === 'hook');
  if (lost.length > 0) answer({ type: 'lost', properties: lost });
  return serialized;
}
