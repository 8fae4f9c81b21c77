import type { FakeTenantOptions, LoginResult, RunContainer } from '@certpin/testkit/tenant';
import { type ContainerOptions, createContainer, type RunResult, runScript } from '../../src/index.ts';

/** The containers of a fake tenant: `login` scripts run as `certpin auth0 run` runs them. */
export function runInContainers(options: Pick<ContainerOptions, 'node' | 'cwd'>): RunContainer {
  return (source, configuration) => {
    const container = createContainer({ ...options, configuration, settleMs: 0 });
    const script = { source, fileName: 'login.js' };
    return {
      login: async (email, password) => {
        return resultOf(await container.run(script, { as: 'login', args: { email, password } }));
      },
      close: container.close,
    };
  };
}

/** The tests of Actions: each in a container of its own. What the platform answers is not documented; this is what the script wrote. */
export function runActions(
  options: Pick<ContainerOptions, 'node' | 'cwd'>,
): NonNullable<FakeTenantOptions['runAction']> {
  return async ({ code, secrets, payload }) => {
    const script = { source: code, fileName: 'action.js' };
    const result = await runScript(script, { ...options, as: 'action:post-login', secrets, event: payload });
    return { logs: result.console.map(({ text }) => text).join('\n'), status: result.status };
  };
}

function resultOf({ status, outcome, client }: RunResult): LoginResult {
  if (status === 'success' && outcome.type === 'callback') {
    return { profile: outcome.values[0] as Record<string, unknown> };
  }
  if (client !== null) return { error: client.error, error_description: client.error_description };
  return { error: 'access_denied', error_description: `the script has not called back: ${JSON.stringify(outcome)}` };
}
