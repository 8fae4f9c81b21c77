// @ts-check
'use strict';
const vm = require('node:vm');
const { createApi } = require('./api.cjs');
const { createAuth0 } = require('./auth0.cjs');
const { watchConfiguration } = require('./configuration.cjs');
const { errorClasses } = require('./errors.cjs');
const { createRequire, resolveFrom } = require('./require.cjs');

/**
 * @typedef {{
 *   kind: 'database' | 'action' | 'rule' | 'hook',
 *   name: string,
 *   handler: string,
 *   file: string,
 *   text: string,
 *   form: 'expression' | 'statements',
 *   entry: string,
 *   folders: string[],
 *   arguments: unknown[],
 *   configuration: Record<string, string | null>,
 *   auth0: unknown,
 *   errors: (keyof typeof errorClasses)[],
 *   methods: string[],
 *   returns: Record<string, unknown>,
 *   settleMs: number,
 * }} Job
 * @typedef {{
 *   onCallback: (values: unknown[]) => void,
 *   onReturn: () => void,
 *   onException: (error: unknown, origin: string) => void,
 *   onRejection: (error: unknown) => void,
 *   report: (message: object) => void,
 * }} Listeners
 */

/** Actions whose module scope has run: it runs once in a container. If it threw, the same error is thrown again. */
const loaded = new Map();

/**
 * @param {Job} job
 * @param {Listeners} listeners
 */
function callScript(job, listeners) {
  if (job.kind === 'action') return callAction(job, listeners);
  const callback = (/** @type {unknown[]} */ ...values) => listeners.onCallback(values);
  // Nobody handles a rejected promise here, so the process gets it as an unhandled rejection.
  loadFunction(job, listeners.report)(...job.arguments, callback);
}

/**
 * @param {Job} job
 * @param {Listeners['report']} report
 */
function loadFunction(job, report) {
  if (job.kind === 'hook') return loadModule(job, report);
  const scope = scopeOf(job, report);
  const names = Object.keys(scope);
  const values = Object.values(scope);
  if (job.form === 'statements') {
    const load = vm.compileFunction(`${job.text}\n;return ${job.entry};`, names, fileOptions(job));
    return load(...values);
  }
  const head = `(function (${names.join(', ')}) { return (`;
  const load = vm.runInThisContext(`${head}${job.text}\n)})`, { ...fileOptions(job), columnOffset: -head.length });
  return load(...values);
}

/**
 * @param {Job} job
 * @param {Listeners['report']} report
 */
function scopeOf(job, report) {
  const errors = Object.fromEntries(job.errors.map((name) => [name, errorClasses[name]]));
  return {
    require: createRequire(job.folders, report),
    ...errors,
    ...(job.kind === 'database' || job.kind === 'rule'
      ? { configuration: watchConfiguration(job.configuration, report) }
      : {}),
    ...(job.kind === 'rule' ? { auth0: createAuth0(job, report) } : {}),
  };
}

/**
 * @param {Job} job
 * @param {Listeners['report']} report
 */
function loadModule(job, report) {
  const module = { exports: /** @type {any} */ ({}) };
  const scope = { ...scopeOf(job, report), module, exports: module.exports };
  const load = vm.compileFunction(job.text, Object.keys(scope), fileOptions(job));
  load.apply(module.exports, Object.values(scope));
  return module.exports;
}

/**
 * @param {Job} job
 * @param {Listeners} listeners
 */
function callAction(job, listeners) {
  const { report } = listeners;
  if (loaded.get(job.file)?.text !== job.text) {
    try {
      loaded.set(job.file, { text: job.text, exports: loadModule(job, report) });
    } catch (error) {
      loaded.set(job.file, { text: job.text, error });
    }
  }
  const action = loaded.get(job.file);
  if ('error' in action) return listeners.onRejection(action.error);
  const event = /** @type {any} */ (job.arguments[0]);
  const api = createApi(job, event, report);
  // The runtime of Actions waits for the handler and catches what it throws.
  Promise.resolve()
    .then(() => action.exports[job.handler](event, api))
    .then(listeners.onReturn, listeners.onRejection);
}

/** @param {Job} job */
function fileOptions({ file, folders }) {
  // Node 18 has no loader constant. There, what can be required can be imported.
  const load = (/** @type {string} */ specifier) => import(resolveFrom(folders, specifier));
  return {
    filename: file,
    importModuleDynamically: /** @type {any} */ (vm).constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER ?? load,
  };
}

module.exports = { callScript };
