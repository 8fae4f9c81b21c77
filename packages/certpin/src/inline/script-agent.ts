import type { AgentOptions } from 'node:https';
import { PinnedAgent } from '../drivers/agent.ts';
import { optionInvalid } from '../errors.ts';
import type { Pinner } from '../leaf/pinner.ts';

/** The agent of a script. Nobody else connects with its options. */
export function createScriptAgent(options: AgentOptions, pinner: Pinner): PinnedAgent {
  return new PinnedAgent(options, pinner, () =>
    optionInvalid('agent', 'the options of the pinned agent were used without it'),
  );
}
