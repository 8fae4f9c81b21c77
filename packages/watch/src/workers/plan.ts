import type { WatchConfig } from '../config/read-config.ts';
import type { CommonSettings } from '../notices/settings.ts';
import type { Hysteresis } from '../states/hysteresis.ts';

/** What a worker has to know of the configuration and of the files of the planner. It holds no secret. */
export interface Plan {
  readonly pinsFile: string;
  readonly shardSize: number;
  readonly hysteresis: Hysteresis;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly recheckMs: number;
  /** Which receivers hear of what; the planner alone tells them. */
  readonly receivers: readonly CommonSettings[];
  /** The keys of the targets that are in a rotation. */
  readonly rotating: readonly string[];
}

/** About so many targets are asked together. */
const SHARD_SIZE = 500;

export function planOf(config: WatchConfig, rotating: ReadonlySet<string>): Plan {
  return {
    ...{ pinsFile: config.file, shardSize: SHARD_SIZE, hysteresis: config.hysteresis, retries: config.retries },
    ...{ timeoutMs: config.timeoutSeconds * 1_000, recheckMs: config.recheckSeconds * 1_000 },
    receivers: config.receivers.map(({ name, states, remarks }) => ({
      name,
      ...(states === undefined ? {} : { states }),
      ...(remarks === undefined ? {} : { remarks }),
    })),
    rotating: [...rotating],
  };
}

/** @throws SyntaxError for what no planner has written */
export function readPlan(text: string): Plan {
  const plan = JSON.parse(text) as Partial<Plan> | null;
  const numbers = [plan?.shardSize, plan?.timeoutMs, plan?.recheckMs].every(
    (one) => Number.isInteger(one) && Number(one) > 0,
  );
  const isPlan =
    numbers && typeof plan?.pinsFile === 'string' && Array.isArray(plan.receivers) && Array.isArray(plan.rotating);
  if (!isPlan) throw new SyntaxError('this is no plan');
  return plan as Plan;
}
