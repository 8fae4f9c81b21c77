// Loaded before every test file that dev/tools/nodes.ts runs. The accident it prevents: a newer Node deprecates something that certpin
// does, and every program that uses certpin prints a warning.
import process from 'node:process';

/** Warnings that do not come from certpin: a test calls pg's `client.cancel`, and one mints certificates with Ed25519, on Node 18 too. */
const ofTests =
  /^(Client\.activeQuery is deprecated and will be removed in pg@9\.0|The Ed25519 Web Crypto API algorithm is an experimental feature .*)$/;

/** The TLS that tedious itself makes, before 16.1 or without certpin, sends an address as the server name (DEP0123). */
const isOfTedious = ({ code, stack = '' }) =>
  code === 'DEP0123' && /node_modules\/tedious[^/]*\/(?:lib|src)\//.test(stack);

const warnings = [];
process.on('warning', (warning) => {
  if (!ofTests.test(warning.message) && !isOfTedious(warning)) warnings.push(warning);
});

// At the exit, because a warning is emitted a tick after its cause, possibly after the last test has passed.
process.on('exit', () => {
  if (warnings.length === 0) return;
  process.exitCode = 1;
  for (const warning of warnings) console.error(`process warning: ${warning.stack}`);
});
