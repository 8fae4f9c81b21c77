import type { RunOptions } from './options.ts';
import type { RunResult } from './result.ts';
import { RunError } from './run-error.ts';
import type { Script } from './source.ts';

/** Runs Rules one after the other. Each gets what the one before passed on. The first one without success ends the chain. */
export async function runChain(
  scripts: readonly Script[],
  given: RunOptions | undefined,
  runOne: (script: Script, options: RunOptions) => Promise<RunResult>,
): Promise<RunResult> {
  const rules: RunResult[] = [];
  let options: RunOptions = { as: 'rule', ...given };
  for (const script of scripts) {
    const result = await runOne(script, options);
    rules.push(result);
    if (result.status !== 'success' || result.outcome.type !== 'callback') break;
    const [user, context] = result.outcome.values as [RunOptions['user'], RunOptions['context']];
    const { args: _, ...others } = options; // They say what the first Rule gets.
    options = { ...others, ...(user ? { user } : {}), ...(context ? { context } : {}) };
  }
  const last = rules.at(-1);
  if (last === undefined) throw new RunError('ERR_OPTION_INVALID', 'a chain of Rules needs a Rule');
  const all = <Key extends 'calls' | 'findings' | 'warnings' | 'console' | 'modules'>(key: Key): RunResult[Key] =>
    rules.flatMap((rule) => rule[key] as RunResult[Key][number][]) as unknown as RunResult[Key];
  return {
    ...last,
    ...{
      calls: all('calls'),
      findings: all('findings'),
      warnings: all('warnings'),
      console: all('console'),
      modules: all('modules'),
      rules,
    },
    consoleDropped: rules.reduce((sum, rule) => sum + rule.consoleDropped, 0),
    durationMs: rules.reduce((sum, rule) => sum + rule.durationMs, 0),
    container: { warm: rules[0]?.container.warm ?? false, ended: last.container.ended },
  };
}
