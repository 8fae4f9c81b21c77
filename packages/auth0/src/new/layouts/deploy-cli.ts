import { stringify } from 'yaml';
import { triggerVersion } from '../actions/script.ts';
import type { ActionTrigger, Plan } from '../options.ts';
import { dependenciesOf } from '../parts.ts';
import { type LayoutFunction, type Script, type ScriptFile, toJson } from './layout.ts';
import { settingsOf } from './values.ts';

/**
 * What the Deploy CLI fills in from its keyword mappings or the environment. It replaces `"@@KEY@@"`, with the quotes, by
 * `JSON.stringify(value)`, so any password fits. `##KEY##` would insert the value unchanged.
 */
const marker = (name: string): string => `@@${name}@@`;

/** The directory format. */
export const deployCli: LayoutFunction = (scripts, plan) => {
  if (plan.kind === 'database') {
    const folder = `database-connections/${plan.name}`;
    return [
      { path: `${folder}/database.json`, content: toJson(connection(scripts, plan, '.')), isScript: false },
      ...scriptFiles(scripts, folder),
    ];
  }
  return scripts.flatMap(({ point, content }) => {
    const name = actionName(plan, point);
    const code = `actions/${name}/code.js`;
    return [
      { path: `actions/${name}.json`, content: toJson(action(point, `./${code}`, plan)), isScript: false },
      { path: code, content, isScript: true },
    ];
  });
};

/** The YAML format: one `tenant.yaml`, and paths relative to it. */
export const deployCliYaml: LayoutFunction = (scripts, plan) => {
  const yaml = (value: unknown): ScriptFile => ({
    path: 'tenant.yaml',
    content: stringify(value, { lineWidth: 0 }),
    isScript: false,
  });
  if (plan.kind === 'database') {
    const folder = `databases/${plan.name}`;
    return [yaml({ databases: [connection(scripts, plan, `./${folder}`)] }), ...scriptFiles(scripts, folder)];
  }
  const codeOf = (point: string): string => `actions/${actionName(plan, point)}/code.js`;
  return [
    yaml({ actions: scripts.map(({ point }) => action(point, `./${codeOf(point)}`, plan)) }),
    ...scripts.map(({ point, content }) => ({ path: codeOf(point), content, isScript: true })),
  ];
};

function scriptFiles(scripts: readonly Script[], folder: string): ScriptFile[] {
  return scripts.map(({ point, content }) => ({ path: `${folder}/${point}.js`, content, isScript: true }));
}

/** Without `enabled_clients`: those of an existing connection stay unchanged. */
function connection(scripts: readonly Script[], plan: Plan, folder: string): object {
  const settings = settingsOf(plan).map(({ name, value }) => [name, value ?? marker(name)]);
  return {
    name: plan.name,
    strategy: 'auth0',
    options: {
      enabledDatabaseCustomization: true,
      import_mode: false,
      ...(plan.context ? { enable_script_context: true } : {}),
      customScripts: Object.fromEntries(scripts.map(({ point }) => [point, `${folder}/${point}.js`])),
      configuration: Object.fromEntries(settings),
    },
  };
}

function action(point: string, code: string, plan: Plan): object {
  return {
    name: actionName(plan, point),
    code,
    runtime: 'node22',
    dependencies: dependenciesOf(plan).map(({ name, version }) => ({ name, version: version || 'latest' })),
    secrets: settingsOf(plan).map(({ name, value }) => ({ name, value: value ?? marker(name) })),
    supported_triggers: [{ id: point, version: triggerVersion(point as ActionTrigger) }],
    deployed: true,
  };
}

function actionName({ name }: Plan, point: string): string {
  return `${name}-${point}`;
}
