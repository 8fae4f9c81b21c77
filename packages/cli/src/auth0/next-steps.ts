import { join } from 'node:path';
import type { CreateScriptsOptions, ScriptFile } from '@certpin/auth0';
import { quote } from '../io.ts';

/** What to do with the scripts, in order: fill in, run, prove, deploy. */
export function nextSteps(files: readonly ScriptFile[], options: CreateScriptsOptions, output: string): string[] {
  const { kind, client, context, layout = 'files' } = options;
  const script = files.find(({ isScript }) => isScript);
  const written = files.find(({ isScript }) => !isScript);
  const settings = quote(join(output, written?.path ?? ''));
  const secret = secretOf(client);
  const named = unknown(valuesOf(options));
  // What somebody has filled in is already in the file.
  const open = layout === 'files' ? named.filter((name) => isEmpty(written, name)) : named;
  const all = [...open, secret].join(', ');
  const where: Record<string, string> = {
    files: `fill in ${open.join(', ')} in ${settings}, and put ${secret} into the environment`,
    'deploy-cli': `give the Deploy CLI ${all}: AUTH0_KEYWORD_REPLACE_MAPPINGS, or the environment`,
    'deploy-cli-yaml': `give the Deploy CLI ${all}: AUTH0_KEYWORD_REPLACE_MAPPINGS, or the environment`,
  };
  return [
    ...(layout === 'files' && open.length === 0
      ? [`put ${secret} into the environment`]
      : [where[layout] ?? `give Terraform the variables of ${settings}`]),
    ...(script === undefined ? [] : trials(quote(join(output, script.path)), settings, secret, options)),
    deployment(kind, layout, output),
    ...(context ? ['options.enable_script_context is needed, and cannot be taken back for a connection'] : []),
    ...(kind === 'rule' || kind === 'hook'
      ? ['Auth0 ended Rules and Hooks on 18 November 2026: plan the move to an Action (--kind action)']
      : []),
  ];
}

/** Whether a file of plain settings has no value under this name. */
function isEmpty(file: ScriptFile | undefined, name: string): boolean {
  return !(JSON.parse(file?.content ?? '{}') as Record<string, unknown>)[name];
}

function unknown(values: Values): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [name] : []));
}

/** The one setting that is never written. */
function secretOf(client: CreateScriptsOptions['client']): string {
  if (client === 'ldapts') return 'LDAP_PASSWORD';
  return client === 'axios' || client === 'fetch' ? 'API_KEY' : 'DB_PASSWORD';
}

type Values = Readonly<Record<string, string | number | undefined>>;

/** The other settings, and what is known of them. */
function valuesOf({ client, host, port, database, url, pins }: CreateScriptsOptions): Values {
  if (client === 'axios' || client === 'fetch') return { API_URL: url, API_PINS: pins };
  if (client === 'ldapts') return { LDAP_URL: url, LDAP_BASE: database, LDAP_USER: undefined, LDAP_PINS: pins };
  return { DB_HOST: host, DB_PORT: port, DB_NAME: database, DB_USER: undefined, DB_PINS: pins };
}

/** The settings. A known value is written; the others come from the environment. */
function settingsOf(options: CreateScriptsOptions): string[] {
  return Object.entries(valuesOf(options)).map(([name, value]) =>
    value === undefined ? name : quote(`${name}=${value}`),
  );
}

/** The user for whom a database script is called, and its other arguments. */
function argumentsOf(script: string): string {
  const key = /(\w+)\.js'?$/.exec(script)?.[1] ?? '';
  const needed: Readonly<Record<string, string>> = {
    delete: '--arg id=USER_ID',
    change_email: '--user USER --arg newEmail=EMAIL',
    change_username: '--user USER --arg newUsername=NAME',
    change_phone_number: '--user PHONE_NUMBER --arg newPhoneNumber=PHONE_NUMBER',
  };
  return needed[key] ?? '--user USER';
}

/** Whether `run` and `prove` ask for a password: the one to log in with, or a new one. */
function asksPassword(script: string): boolean {
  return /(?:login|create|change_password)\.js'?$/.test(script);
}

/** The commands that run a script here, and prove that it gives nothing to a wrong server. */
function trials(script: string, settings: string, secret: string, options: CreateScriptsOptions): string[] {
  const { kind, layout = 'files' } = options;
  const isGlobal = kind === 'database' || kind === 'rule';
  const [file, one] = isGlobal ? ['--config-file', '--config'] : ['--secrets-file', '--secret'];
  // A file of settings that the commands read: plain JSON, or the file of the connection or the Action from the Deploy CLI.
  const isReadable = layout === 'files' || layout === 'deploy-cli';
  const flags = [
    ...(kind === 'database' ? [argumentsOf(script)] : []),
    ...(isReadable ? [`${file} ${settings}`] : settingsOf(options).map((setting) => `${one} ${setting}`)),
    `${one} ${secret}`,
  ].join(' ');
  return [
    `run it on your machine${kind === 'database' && asksPassword(script) ? " (it asks for the user's password)" : ''}: certpin auth0 run ${script} ${flags}`,
    `see that a wrong server gets nothing: certpin auth0 prove ${script} ${flags}`,
  ];
}

function deployment(kind: CreateScriptsOptions['kind'], layout: string, output: string): string {
  if (layout === 'deploy-cli') return `deploy: a0deploy import --input_file ${quote(output)}`;
  if (layout === 'deploy-cli-yaml') return `deploy: a0deploy import --input_file ${quote(join(output, 'tenant.yaml'))}`;
  if (layout.startsWith('terraform')) return `deploy: terraform -chdir=${quote(output)} plan`;
  if (kind === 'database') return 'deploy: paste each script into Authentication > Database > Custom Database';
  if (kind === 'action')
    return 'deploy: paste it into Actions > Library, add its dependencies and secrets, bind it to its trigger';
  return 'deploy: where it still runs, with the Management API';
}
