import type { Command } from 'commander';
import type { ExitCode, Io } from '../io.ts';
import { defineAuth0New } from './auth0-new.ts';

const examples = `
Examples:
  certpin auth0 new --from postgres://db.example.com     scripts for a database, with its fingerprint

certpin auth0 COMMAND --help tells more.`;

/** The commands for scripts of Auth0. */
export function defineAuth0(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const auth0 = program
    .command('auth0')
    .summary('write scripts for Auth0 whose connections are pinned')
    .description('Scripts for Auth0 (custom databases, Actions, Rules, Hooks) whose every connection is pinned.')
    .usage('<command> [options]')
    .addHelpText('after', examples);
  defineAuth0New(auth0, io, finish);
}
