import { createContainer } from './container.ts';
import type { ContainerOptions, RunOptions } from './options.ts';
import type { RunResult } from './result.ts';
import type { Script } from './source.ts';

export interface RunScriptOptions extends ContainerOptions, RunOptions {
  readonly configuration?: Readonly<Record<string, string | null>>;
}

/**
 * Runs a script once, in a container of its own.
 *
 * @example
 * const result = await runScript('login.js', { args: { email: 'ada@example.com', password: 'wrong' }, configuration });
 * assert.equal(result.status, 'refused');
 *
 * @throws RunError if it could not be run. Whatever the script does, also a failure, is a result
 */
export async function runScript(
  script: Script | readonly Script[],
  options: RunScriptOptions = {},
): Promise<RunResult> {
  const container = createContainer(options);
  try {
    return await container.run(script, options);
  } finally {
    await container.close();
  }
}
