import type { DeliverOptions, DeliveryProblem } from '@certpin/auth0';
import type { Place } from '@certpin/pins-file';
import type { Command } from 'commander';
import { readSeconds } from '../command-line/options.ts';
import { failureOf, printFailure, UsageError } from '../failure.ts';
import { type ExitCode, type Io, printError, printHint, printWarning } from '../io.ts';
import { startProgress } from '../terminal/progress.ts';

/** The options of every command that reads the places of a pins file. */
export interface DeliveryFlags {
  readonly file: string;
  readonly owner?: string;
  readonly timeout?: string;
  readonly json?: true;
}

/** What the help of each of these commands says of the credentials. */
export const credentialsHelp = `The tenant's credentials come from the environment, under the names of the Auth0 Deploy CLI. Set
AUTH0_DOMAIN and AUTH0_ACCESS_TOKEN. Or set AUTH0_DOMAIN, AUTH0_CLIENT_ID, and AUTH0_CLIENT_SECRET or
AUTH0_CLIENT_SIGNING_KEY_PATH.`;

export function addDeliveryOptions(command: Command): Command {
  return command
    .option('--file <file>', 'the pins file', 'certpin.json')
    .option('--owner <tool>', 'none: no other tool writes this tenant, although files of one are there')
    .option('--timeout <seconds>', 'longest time for one address of a server (default: 10)')
    .option('--json', 'print the answer as JSON');
}

/** @throws UsageError */
export function toDeliverOptions({ owner, timeout }: DeliveryFlags, command: string, io: Io): DeliverOptions {
  if (owner !== undefined && owner !== 'none') throw new UsageError('--owner takes none', command);
  return {
    ...{ fetch: io.fetch ?? globalThis.fetch, env: io.env, lookup: io.lookup },
    timeoutMs: timeout === undefined ? undefined : readSeconds(timeout, '--timeout', command),
    owner,
  };
}

/** Ctrl-C ends the work before its next write. In the meantime, the terminal shows what it is doing. */
export async function withWork<Result>(
  io: Io,
  work: (how: { readonly signal: AbortSignal; readonly onProgress: (text: string) => void }) => Promise<Result>,
): Promise<Result> {
  const interrupt = new AbortController();
  const letGo = io.onInterrupt(() => interrupt.abort());
  let doing = '';
  const progress = startProgress(io, () => doing);
  try {
    return await work({
      signal: interrupt.signal,
      onProgress: (text) => {
        doing = `${text} ...`;
      },
    });
  } finally {
    progress.end();
    letGo();
  }
}

/** Why a question to a tenant could not be asked. */
export function tellUnasked(io: Io, command: string, error: unknown): ExitCode {
  if ((error as Error).name === 'AbortError') return 130;
  printFailure(io, { command, label: undefined, failure: failureOf(error) });
  return 2;
}

export function tellProblems(io: Io, problems: readonly DeliveryProblem[]): void {
  for (const { message } of problems) printError(io, message);
  for (const hint of new Set(problems.flatMap(({ hint = [] }) => hint))) printHint(io, hint);
}

/** Nothing was read and nothing written. That is not a success: a wrong AUTH0_DOMAIN looks like this. */
export function areAllElsewhere(places: readonly { readonly status: string }[]): boolean {
  return places.length > 0 && places.every(({ status }) => status === 'elsewhere');
}

/** An error if it decides the exit code. A warning if other places, for example files, were reached. */
export function tellElsewhere(io: Io, places: readonly { readonly place: Place; readonly status: string }[]): void {
  const tenants = new Set(places.flatMap(({ place }) => ('tenant' in place ? place.tenant : [])));
  const isHere = places.some(({ place, status }) => 'tenant' in place && status !== 'elsewhere');
  if (isHere || tenants.size === 0) return;
  const message = `AUTH0_DOMAIN is ${io.env.AUTH0_DOMAIN}, and no place is in that tenant; the places are in ${[...tenants].join(', ')}`;
  (areAllElsewhere(places) ? printError : printWarning)(io, message);
}
