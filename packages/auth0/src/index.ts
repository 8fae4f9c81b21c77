export { type InlineBlock, type InlineClient, inlineBlock } from './inline/index.ts';
export {
  type ActionTrigger,
  actionTriggers,
  type CreateScriptsOptions,
  createScripts,
  type DatabaseKey,
  databaseKeys,
  type HookPoint,
  hookPoints,
  type Layout,
  layouts,
  pointsOf,
  type ScriptClient,
  type ScriptFile,
  scriptClients,
  scriptKinds,
} from './new/index.ts';
