export type { ScriptArguments } from './arguments.ts';
export { type Container, createContainer } from './container.ts';
export type { Json, JsonObject } from './events.ts';
export type { ContainerOptions, RunOptions } from './options.ts';
export type {
  ApiCall,
  ClientView,
  ConsoleLine,
  ContainerState,
  LoadedModule,
  LogEntry,
  Outcome,
  Remark,
  RunResult,
  SerializedError,
} from './result.ts';
export { roleNames, type ScriptKind } from './roles.ts';
export { RunError, type RunErrorCode } from './run-error.ts';
export { type RunScriptOptions, runScript } from './run-script.ts';
export { readScript, type Script, type ScriptText } from './source.ts';
export { refuseUnusedOptions } from './unused.ts';
