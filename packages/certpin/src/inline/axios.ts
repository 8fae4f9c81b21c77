import { agentKeys } from '../drivers/agent.ts';
import { configureAxios, type PinnedAxios } from '../drivers/axios.ts';
import { createLeafPinner, type LeafPinnerOptions } from '../leaf/pinner.ts';
import { createScriptAgent } from './script-agent.ts';
import { readScriptTls } from './script-options.ts';

export { findCertpinError } from '../errors.ts';

/** A configuration of axios for a script; `agentOptions` are those of the `https.Agent` that is made. */
export function pinnedAxios(config: object, policy: LeafPinnerOptions, agentOptions: object = {}): PinnedAxios {
  const options = readScriptTls(agentOptions, 'pinnedAxios', agentKeys);
  return configureAxios(config, createScriptAgent(options, createLeafPinner(policy)));
}
