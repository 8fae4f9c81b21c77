// Runs one script in a process of its own, as what it changes is shared by everything in it.
const Module = require('node:module');

global.configuration = {};
process.once('message', (text) => {
  const done = (outcome) => process.send(String(outcome), () => process.exit());
  process.on('uncaughtException', done);
  const script = new Module('script', module);
  script.paths = module.paths;
  script._compile(`module.exports = ${text}`, __filename);
  script.exports('a', 'secret', (error, value) => done(error ? (error.code ?? error) : value));
});
