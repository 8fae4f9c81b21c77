import { join } from 'node:path';
import type { CreateScriptsOptions, ScriptFile } from '@certpin/auth0';
import { plainWords } from '@certpin/pins-file';
import { type CertificateSummary, formatPin, parsePins } from 'certpin';
import type { Command } from 'commander';
import { asUsageError, prefixOf, userIdLines, withWhatIsThere } from '../auth0/existing.ts';
import {
  addNewOptions,
  explained,
  type NewFlags,
  readColumns,
  readModules,
  refuseUnusedFlags,
} from '../auth0/new-flags.ts';
import { askForFlags } from '../auth0/new-questions.ts';
import { nextSteps } from '../auth0/next-steps.ts';
import { fetchCertificate, readServer, refuseOtherClient, type Server } from '../auth0/server.ts';
import { type Occupancy, occupancyOf, writeFiles } from '../auth0/write-files.ts';
import { toProbeOptions } from '../command-line/options.ts';
import { readPinsFile, readPinValues } from '../command-line/pins.ts';
import { failureOf, printFailure, UsageError } from '../failure.ts';
import { FileReader } from '../files/file-reader.ts';
import { type ExitCode, type Io, printable, printError, printHint, printText, printWarning, quote } from '../io.ts';

const COMMAND = 'auth0 new';

const description = `Write complete scripts for Auth0: custom database scripts, Actions, Rules and Hooks. They call a
database, a directory or an API, and check its certificate before the first byte.

With --from, the fingerprint is fetched from the server and written to the settings, with host and
port. Credentials in the target are neither sent nor written nor shown: you fill in the password. A
client that does not speak to that server is refused. On a terminal, without --kind, --client and
--from, certpin asks.

Database scripts must know the beginning of user_id. If nobody logs in with the connection yet, give
--new-users. Otherwise, give --user-id-prefix with the text that the scripts in use put before the
id. With another prefix, every user becomes another user. A later run reads the prefix from the
existing scripts.

The layouts: plain files with their settings; the Deploy CLI's directory or its YAML; Terraform, with
the scripts in files or in heredocs. No file is replaced without --force. configuration.json,
secrets.json, database.json, tenant.yaml and actions/NAME.json keep their content and get the new
parts.

Keys: login, get_user, create, verify, change_password, delete, change_email; and, with parameters
that Auth0 does not document, change_username, change_phone_number.
Triggers: post-login, credentials-exchange, pre-user-registration, post-user-registration,
post-change-password, send-phone-message, custom-email-provider, custom-phone-provider.`;

const examples = `
Examples:
  certpin auth0 new --from postgres://db.example.com/app --new-users
  certpin auth0 new --from postgres://db.example.com/app --user-id-prefix '' --table people \\
    --column id=uid,email=mail,password=pw_hash
  certpin auth0 new --from mysql://db.example.com --client mysql --keys login,get_user --new-users
  certpin auth0 new --from https://api.example.com --kind action --triggers post-login --form npm
  certpin auth0 new --from ldaps://ldap.example.com/dc=example,dc=com --kind action
  certpin auth0 new --from postgres://db.example.com --new-users --layout deploy-cli --output tenant
  certpin auth0 new --client pg --pins-file pins.txt --new-users --layout terraform --dry-run

Exit code: 0 written; 2 a mistake in the command line, a server that does not answer, or a file that
exists already.`;

export function defineAuth0New(auth0: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = auth0
    .command('new')
    .summary('write complete scripts')
    .description(description)
    .addHelpText('after', examples);
  addNewOptions(command).action(async (flags: NewFlags) => finish(await writeNew(flags, io)));
}

async function writeNew(given: NewFlags, io: Io): Promise<ExitCode> {
  // Loaded only when it is needed: the other commands start without it.
  const { createScripts, pointsOf } = await import('@certpin/auth0');

  const flags =
    io.questions !== undefined && [given.kind, given.client, given.from].every((flag) => flag === undefined)
      ? await askForFlags(given, { pointsOf }, await io.questions())
      : given;
  const probeOptions = toProbeOptions(flags, COMMAND);
  const server = flags.from === undefined ? undefined : readServer(flags.from, flags.protocol);
  let pins: string | undefined;
  try {
    pins = await readPins(flags, io);
  } catch (error) {
    printFailure(io, { command: COMMAND, label: undefined, failure: failureOf(error) });
    return 2;
  }
  let presented: CertificateSummary | undefined;
  const known = toOptions(flags, server);
  const planned = { ...known, userIdPrefix: await prefixOf(known, flags) };
  asUsageError(() => createScripts(planned)); // Reported before any connection is made.
  if (pins === undefined && server !== undefined) {
    const found = await fetchCertificate(server, probeOptions, io);
    if ('code' in found) {
      printFailure(io, { command: 'get', label: server.label, failure: found });
      return 2;
    }
    presented = found;
    pins = found.sha256;
  }
  const options: CreateScriptsOptions = { ...planned, pins };
  const files = await withWhatIsThere(createScripts(options), flags, io);
  if (files === undefined) return 2;
  const places = files.map((file) => ({
    ...{ file, path: join(flags.output, file.path), found: occupancyOf(flags.output, file) },
  }));
  if (!isFree(places, flags, io)) return 2;
  const replaced = userIdLines(files, flags.output); // Asked before the files are written.
  if (!flags.dryRun) {
    const changed = places.filter(({ found }) => found !== 'same').map(({ file }) => file);
    const failed = writeFiles(flags.output, changed);
    if (failed !== undefined) {
      const written = failed.named.length === 0 ? 'nothing' : `no more than ${failed.named.map(printable).join(', ')}`;
      printError(io, `${written} was written: ${plainWords(failureOf(failed.error))}`);
      return 2;
    }
  }
  report({ files, places, flags, options, server, presented, replaced }, io);
  return 0;
}

/** The given pins, as one text. undefined: none were given. */
async function readPins({ pins = [], pinsFile = [] }: NewFlags, io: Io): Promise<string | undefined> {
  const sources = readPinValues('--pins', pins);
  const files = new FileReader({}, io);
  for (const path of pinsFile) sources.push(await readPinsFile(path, files));
  if (sources.length === 0) return undefined;
  return parsePins(sources)
    .map((pin) => formatPin(pin))
    .join(' ');
}

/** @throws UsageError */
function toOptions(flags: NewFlags, server: Server | undefined): CreateScriptsOptions {
  const { kind = 'database', keys, triggers, context, form, layout, name, bcrypt, module = [], table, column } = flags;
  const client = flags.client ?? server?.clients?.[0];
  if (client === undefined) {
    throw new UsageError(
      server === undefined
        ? '--client or --from says what the scripts call'
        : server.clients === undefined
          ? 'this target does not tell its --client'
          : `there is no script for ${server.label}: the clients are pg, mysql2, mysql, tedious, mongodb, ldapts, axios and fetch`,
      COMMAND,
    );
  }
  const isApi = client === 'axios' || client === 'fetch';
  if (server !== undefined && !explained.includes(client)) refuseOtherClient(server, client);
  const modules = readModules(module);
  refuseUnusedFlags(flags, kind, client);
  const place = isApi
    ? { url: server === undefined ? undefined : (server.url ?? `https://${server.label}`) }
    : client === 'ldapts'
      ? { url: server?.url ?? undefined, database: server?.database }
      : { host: server?.host, port: server?.port, database: server?.database };
  return {
    ...{ keys, triggers, context, form, layout, name, bcrypt, modules, ...place },
    ...{ table, columns: column === undefined ? undefined : readColumns(column) },
    ...{ kind, client },
  } as CreateScriptsOptions;
}

/** A file to write, and what is at its place. */
interface Place {
  readonly file: ScriptFile;
  readonly path: string;
  readonly found: Occupancy;
}

/** Names everything that is in the way before anything is written. */
function isFree(places: readonly Place[], { force }: NewFlags, io: Io): boolean {
  const folders = places.filter(({ found }) => found === 'no-file' || found === 'no-folder');
  const others = force ? [] : places.filter(({ found }) => found === 'other');
  for (const { path, found } of folders) {
    const what = found === 'no-file' ? 'something that is not a file' : 'a file, where a folder has to be,';
    printError(io, `${path}: ${what} is in its way`);
  }
  for (const { path } of others) printError(io, `${path}: another file is there`);
  if (folders.length + others.length === 0) return true;
  printHint(io, folders.length > 0 ? 'give another folder: --output DIR' : 'give --force to replace, or --output DIR');
  return false;
}

interface Written {
  readonly files: readonly ScriptFile[];
  readonly places: readonly Place[];
  readonly flags: NewFlags;
  readonly options: CreateScriptsOptions;
  readonly server: Server | undefined;
  readonly presented: CertificateSummary | undefined;
  /** What the scripts that it replaces say of `user_id`. */
  readonly replaced: ReturnType<typeof userIdLines>;
}

function report({ files, places, flags, options, server, presented, replaced }: Written, io: Io): void {
  const { output, dryRun } = flags;
  const same = places.filter(({ found }) => found === 'same');
  const written = places.filter((place) => !same.includes(place));
  if (written.length > 0) printText(io, `${dryRun ? 'would write' : 'wrote'} ${count(written)}`);
  for (const { path } of written) printText(io, `  ${quote(path)}`);
  if (same.length > 0) printText(io, `unchanged: ${count(same)}`);
  for (const { path } of same) printText(io, `  ${quote(path)}`);
  if (server !== undefined && presented !== undefined) {
    printText(io, `\nfingerprint ${presented.sha256}`);
    printText(
      io,
      `  of ${server.label}, ${printable(presented.subject || '(no subject)')}, valid to ${presented.validTo.slice(0, 10)}`,
    );
    printText(
      io,
      "  as presented just now: compare with the server's own certificate file, or its operator, before you pin it",
    );
  }
  if (options.pins === undefined && !files.some(holdsPins)) printWarning(io, `no pin was given: ${howToPin(options)}`);
  if (options.userIdPrefix !== undefined) {
    printText(io, aboutUserId(options.userIdPrefix, flags));
    for (const [file, line] of replaced)
      printText(io, `  ${quote(file)} ${dryRun ? 'says' : 'said'}: ${printable(line)}`);
  }
  const steps = nextSteps(files, options, output);
  printText(io, `\nnext\n${steps.map((step, index) => `  ${index + 1}. ${step}`).join('\n')}`);
}

function count(places: readonly Place[]): string {
  return places.length === 1 ? '1 file' : `${places.length} files`;
}

/** Whether somebody has filled in the pins of an existing file. */
function holdsPins({ content, isScript }: ScriptFile): boolean {
  return !isScript && /_PINS"?: "?\w/.test(content);
}

function howToPin({ client }: CreateScriptsOptions): string {
  const kind = client === 'axios' || client === 'fetch' ? 'API' : client === 'ldapts' ? 'LDAP' : 'DB';
  const name = `${kind}_PINS`;
  return `no script connects before ${name} is filled in; certpin get SERVER prints the fingerprint, and --from fetches it`;
}

/** What follows from the answer to the question who logs in already. */
function aboutUserId(prefix: string, { newUsers, userIdPrefix }: NewFlags): string {
  const words = prefix === '' ? 'the id of the table, without a prefix' : `'${prefix}' and the id of the table`;
  if (newUsers) return `\nuser_id will be ${words}; all users are new, as you said`;
  const source = userIdPrefix === undefined ? 'as the scripts that are there have it' : 'as you said';
  return `
ATTENTION: user_id will be ${words}, ${source}
  The scripts in use have to give the very same, from login and from get_user. Where they give another
  one, every user becomes another user at the next login, without roles, metadata and linked accounts.
  Compare before you deploy: certpin auth0 run`;
}
