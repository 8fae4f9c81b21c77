import { triggerVersion } from '../actions/script.ts';
import type { ActionTrigger, Plan } from '../options.ts';
import { dependenciesOf } from '../parts.ts';
import { indent } from '../text.ts';
import type { LayoutFunction, Script, ScriptFile } from './layout.ts';
import { type Setting, settingsOf } from './values.ts';

/** Terraform, with the scripts in files of their own. */
export const terraform: LayoutFunction = (scripts, plan) => [
  resources(scripts, plan, (script) => `file("\${path.module}/${fileOf(script, plan)}")`),
  versions,
  ...scripts.map((script) => ({ path: fileOf(script, plan), content: script.content, isScript: true })),
];

/** Terraform, with the scripts in the resource itself. */
export const terraformHeredoc: LayoutFunction = (scripts, plan) => [
  resources(scripts, plan, ({ content }) => `<<-SCRIPT\n${indent(escaped(content))}SCRIPT`),
  versions,
];

/** The source of the provider. Without it, Terraform looks for `hashicorp/auth0`, which does not exist. */
const versions: ScriptFile = {
  path: 'versions.tf',
  content: `terraform {
  required_providers {
    auth0 = {
      source  = "auth0/auth0"
      version = ">= 1.0.0"
    }
  }
}
`,
  isScript: false,
};

function fileOf({ point }: Script, plan: Plan): string {
  return `${plan.name}/${point}.js`;
}

/** In a heredoc, `${` and `%{` begin an expression of Terraform. */
function escaped(text: string): string {
  return text.replace(/[$%](?=\{)/g, '$&$&');
}

function resources(scripts: readonly Script[], plan: Plan, source: (script: Script) => string): ScriptFile {
  const settings = settingsOf(plan);
  const blocks = [
    ...settings.filter(({ value }) => value === undefined).map((setting) => variable(setting, plan)),
    ...(plan.kind === 'database'
      ? [connection(scripts, settings, plan, source)]
      : scripts.map((script) => action(script, settings, plan, source))),
  ];
  return { path: `${plan.name}.tf`, content: blocks.join('\n'), isScript: false };
}

function variable({ name, isSecret }: Setting, plan: Plan): string {
  return `variable "${variableName(name, plan)}" {
  type${isSecret ? '     ' : ''} = string
${isSecret ? '  sensitive = true\n' : ''}}
`;
}

function connection(
  scripts: readonly Script[],
  settings: readonly Setting[],
  plan: Plan,
  source: (script: Script) => string,
): string {
  const code = scripts.map((script): [string, string] => [script.point, source(script)]);
  const values = settings.map((setting): [string, string] => [setting.name, settingValue(setting, plan)]);
  const switches: [string, string][] = [
    ['enabled_database_customization', 'true'],
    ['import_mode', 'false'],
    ...(plan.context ? [['enable_script_context', 'true'] as [string, string]] : []),
  ];
  return `resource "auth0_connection" "${identifier(plan.name)}" {
  name     = "${plan.name}"
  strategy = "auth0"

  options {
${indent(assignments(switches), 4)}

    custom_scripts = {
${indent(assignments(code), 6)}
    }

    configuration = {
${indent(assignments(values), 6)}
    }
  }
}
`;
}

function action(script: Script, settings: readonly Setting[], plan: Plan, source: (script: Script) => string): string {
  const name = `${plan.name}-${script.point}`;
  const block = (kind: string, pairs: readonly [string, string][]): string =>
    `\n  ${kind} {\n${indent(assignments(pairs), 4)}\n  }\n`;
  const version = triggerVersion(script.point as ActionTrigger);
  return `resource "auth0_action" "${identifier(name)}" {
${indent(
  assignments([
    ['name', `"${name}"`],
    ['runtime', '"node22"'],
    ['deploy', 'true'],
    ['code', source(script)],
  ]),
)}
${block('supported_triggers', [
  ['id', `"${script.point}"`],
  ['version', `"${version}"`],
])}${dependenciesOf(plan)
  .map(({ name, version }) =>
    block('dependencies', [
      ['name', `"${name}"`],
      ['version', `"${version || 'latest'}"`],
    ]),
  )
  .join('')}${settings
  .map((setting) =>
    block('secrets', [
      ['name', `"${setting.name}"`],
      ['value', settingValue(setting, plan)],
    ]),
  )
  .join('')}}
`;
}

/** With aligned equal signs, as `terraform fmt` writes them. */
function assignments(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)} = ${value}`).join('\n');
}

function settingValue({ name, value }: Setting, plan: Plan): string {
  return value === undefined ? `var.${variableName(name, plan)}` : `"${escaped(JSON.stringify(value).slice(1, -1))}"`;
}

function variableName(setting: string, plan: Plan): string {
  return `${identifier(plan.name)}_${setting.toLowerCase()}`;
}

function identifier(name: string): string {
  return name
    .toLowerCase()
    .replace(/^(?=\d)/, '_')
    .replaceAll('-', '_');
}
