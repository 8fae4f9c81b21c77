import type { Agent } from 'node:https';
import { agentKeys } from '../drivers/agent.ts';
import type { LeafPinnerOptions } from '../leaf/pinner.ts';
import { createScriptAgent } from './script-agent.ts';
import { splitScriptOptions } from './script-options.ts';

export { findCertpinError } from '../errors.ts';

/** The pinned `https.Agent` of a script: a policy, and options of the agent. */
export function pinnedAgent(options: LeafPinnerOptions & object): Agent {
  const { pinner, tls } = splitScriptOptions(options, agentKeys, 'pinnedAgent');
  return createScriptAgent(tls, pinner);
}
