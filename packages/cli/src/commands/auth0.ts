import type { Command } from 'commander';
import type { ExitCode, Io } from '../io.ts';
import { defineAuth0Block } from './auth0-block.ts';
import { defineAuth0Diff } from './auth0-diff.ts';
import { defineAuth0Learn } from './auth0-learn.ts';
import { defineAuth0New } from './auth0-new.ts';
import { defineAuth0Prove } from './auth0-prove.ts';
import { defineAuth0Pull } from './auth0-pull.ts';
import { defineAuth0Push } from './auth0-push.ts';
import { defineAuth0Run } from './auth0-run.ts';
import { defineAuth0Verify } from './auth0-verify.ts';

const description = `For code that runs at Auth0: custom database scripts, Actions, Rules and Hooks.

The commands new, block, run, prove and verify work only on this machine. The commands diff, push,
pull and learn call a tenant, and bring the pins of a pins file to the places that it lists.`;

/** The group of commands for scripts at Auth0. */
export function defineAuth0(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const group = program
    .command('auth0')
    .summary('write, run, prove and verify scripts for Auth0, and bring pins to a tenant')
    .description(description)
    .helpCommand('help [command]', 'print the help of a command');
  defineAuth0New(group, io, finish);
  defineAuth0Block(group, io, finish);
  defineAuth0Run(group, io, finish);
  defineAuth0Prove(group, io, finish);
  defineAuth0Verify(group, io, finish);
  defineAuth0Diff(group, io, finish);
  defineAuth0Push(group, io, finish);
  defineAuth0Pull(group, io, finish);
  defineAuth0Learn(group, io, finish);
}
