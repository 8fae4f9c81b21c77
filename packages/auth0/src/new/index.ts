import { actionScript } from './actions/script.ts';
import { databaseScript } from './database/script.ts';
import { hookScript } from './hooks/script.ts';
import { deployCli, deployCliYaml } from './layouts/deploy-cli.ts';
import { files } from './layouts/files.ts';
import type { LayoutFunction, ScriptFile } from './layouts/layout.ts';
import { terraform, terraformHeredoc } from './layouts/terraform.ts';
import type { ActionTrigger, CreateScriptsOptions, DatabaseKey, HookPoint, Layout, Plan } from './options.ts';
import { readOptions } from './options.ts';
import { ruleScript } from './rule.ts';

export type { ScriptFile } from './layouts/layout.ts';
export { isMerged, mergeSettings } from './layouts/merge.ts';
export {
  type ActionTrigger,
  actionTriggers,
  type CreateScriptsOptions,
  type DatabaseKey,
  databaseKeys,
  type HookPoint,
  hookPoints,
  type Layout,
  layouts,
  pointsOf,
  type ScriptClient,
  scriptClients,
  scriptKinds,
  type UserColumn,
  userColumns,
} from './options.ts';
export { readUserIdPrefixes } from './user-id-prefix.ts';

const layoutFunctions: Record<Layout, LayoutFunction> = {
  files,
  'deploy-cli': deployCli,
  'deploy-cli-yaml': deployCliYaml,
  terraform,
  'terraform-heredoc': terraformHeredoc,
};

/**
 * Complete scripts for Auth0 whose every connection is pinned. Nothing is read from the network, nothing is written.
 *
 * ```ts
 * import { createScripts } from '@certpin/auth0';
 * for (const { path, content } of createScripts({ kind: 'database', client: 'pg', keys: ['login'], userIdPrefix: '' })) console.log(path, content);
 * ```
 *
 * @throws CertpinError `ERR_OPTION_INVALID`, `ERR_PIN_INVALID`
 */
export function createScripts(options: CreateScriptsOptions): readonly ScriptFile[] {
  const plan = readOptions(options);
  const scripts = plan.points.map((point) => ({ point, content: scriptOf(point, plan) }));
  return layoutFunctions[plan.layout](scripts, plan);
}

function scriptOf(point: string, plan: Plan): string {
  if (plan.kind === 'database') return databaseScript(point as DatabaseKey, plan);
  if (plan.kind === 'action') return actionScript(point as ActionTrigger, plan);
  return plan.kind === 'rule' ? ruleScript(plan) : hookScript(point as HookPoint, plan);
}
