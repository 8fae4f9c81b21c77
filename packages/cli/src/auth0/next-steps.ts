import { join } from 'node:path';
import type { CreateScriptsOptions, ScriptFile } from '@certpin/auth0';
import { quote } from '../io.ts';

/** What is to be done with the scripts, in order: fill in, run, prove, deploy. */
export function nextSteps(files: readonly ScriptFile[], options: CreateScriptsOptions, output: string): string[] {
  const { kind, client, context, layout = 'files' } = options;
  const script = files.find(({ isScript }) => isScript);
  const beside = files.find(({ isScript }) => !isScript);
  const isApi = client === 'axios' || client === 'fetch';
  const secret = isApi ? 'API_KEY' : 'DB_PASSWORD';
  const file = quote(join(output, (script ?? beside)?.path ?? ''));
  const settings = quote(join(output, beside?.path ?? ''));
  const known = { DB_HOST: options.host, DB_NAME: options.database, API_URL: options.url };
  const open = [
    ...(isApi ? [] : ['DB_USER']),
    secret,
    ...Object.entries(known)
      .filter(([name, value]) => name.startsWith(isApi ? 'API' : 'DB') && value === undefined)
      .map(([name]) => name),
    ...(options.pins === undefined ? [isApi ? 'API_PINS' : 'DB_PINS'] : []),
  ].join(', ');
  const where: Record<string, string> = {
    files: `fill in ${open} in ${settings}, and keep it out of version control`,
    'deploy-cli': `give the Deploy CLI ${open}: AUTH0_KEYWORD_REPLACE_MAPPINGS, or the environment`,
    'deploy-cli-yaml': `give the Deploy CLI ${open}: AUTH0_KEYWORD_REPLACE_MAPPINGS, or the environment`,
    terraform: `give Terraform the variables of ${settings}`,
    'terraform-heredoc': `give Terraform the variables of ${settings}`,
  };
  return [
    where[layout] ?? '',
    ...(layout === 'terraform-heredoc'
      ? []
      : [
          `run it on your machine: certpin auth0 run ${file}`,
          `see that a wrong server gets nothing: certpin auth0 prove ${file}`,
        ]),
    deployment(kind, layout, output),
    ...(context ? ['options.enable_script_context is needed, and cannot be taken back for a connection'] : []),
    ...(kind === 'rule' || kind === 'hook'
      ? ['Auth0 ended Rules and Hooks on 18 November 2026: plan the move to an Action (--kind action)']
      : []),
  ];
}

function deployment(kind: CreateScriptsOptions['kind'], layout: string, output: string): string {
  const input = quote(output);
  if (layout === 'deploy-cli') return `deploy: a0deploy import --input_file ${input}`;
  if (layout === 'deploy-cli-yaml') return `deploy: a0deploy import --input_file ${quote(join(output, 'tenant.yaml'))}`;
  if (layout.startsWith('terraform')) return `deploy: terraform -chdir=${input} plan`;
  if (kind === 'database') return 'deploy: paste each script into Authentication > Database > Custom Database';
  if (kind === 'action')
    return 'deploy: paste it into Actions > Library, add its dependencies and secrets, bind it to the trigger';
  return 'deploy: where it still runs, with the Management API';
}
