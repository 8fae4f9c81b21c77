export { createFetch } from './fetch.ts';
export { interruptAt } from './interrupt-at.ts';
export type { LoggedRequest } from './listener.ts';
export type {
  ActionSeed,
  ConnectionSeed,
  FakeTenantOptions,
  Json,
  JsonObject,
  Plaintext,
  RequestHook,
  TenantAnswer,
  TenantRequest,
} from './options.ts';
export type { ContainerOptions, LoginRecord, LoginResult, RunContainer, ScriptContainer } from './script-container.ts';
export { type FakeTenant, startFakeTenant } from './start.ts';
