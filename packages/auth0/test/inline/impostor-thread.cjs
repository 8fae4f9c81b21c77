// Runs one script in a thread of its own, as what it changes is shared by everything in one.
const Module = require('node:module');
const { parentPort, workerData } = require('node:worker_threads');

global.configuration = {};
const done = (outcome) => parentPort.postMessage(String(outcome));
process.on('uncaughtException', done);
const script = new Module('script', module);
script.paths = module.paths;
script._compile(`module.exports = ${workerData}`, __filename);
script.exports('a', 'secret', (error, value) => done(error ? (error.code ?? error) : value));
