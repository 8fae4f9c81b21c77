// A certpin of its own, to be killed: the command line in the arguments, and the fake tenant in the environment. It can be reached through
// an Io only, so this is a program of the tests and no flag of the command.
import type { LookupFunction } from 'node:net';
import { createFetch } from '@certpin/testkit/tenant';
import { run } from '../src/run.ts';

const { TENANT_PORT, TENANT_CA = '', AUTH0_DOMAIN = '' } = process.env;
const { fetch, close } = createFetch(AUTH0_DOMAIN, Number(TENANT_PORT), TENANT_CA);
const lookup: LookupFunction = (_, { all }, done) =>
  all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);

const code = await run(process.argv.slice(2), {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  stdoutIsTerminal: false,
  stderrIsTerminal: false,
  stdin: () => process.stdin,
  askSecret: async () => undefined,
  confirm: async () => undefined,
  stdoutClosed: () => false,
  stdoutReady: async () => undefined,
  onInterrupt: () => () => undefined,
  ...{ fetch, lookup, env: process.env },
});
await close();
process.exit(code);
