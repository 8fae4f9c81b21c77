import type { WatchConfig } from '../config/read-config.ts';
import type { CommonSettings } from '../notices/settings.ts';
import type { Hysteresis } from '../states/hysteresis.ts';
import { states } from '../states/states.ts';
import type { State } from '../types.ts';

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
  const plan = JSON.parse(text) as Plan | null;
  if (plan === null || typeof plan !== 'object') throw new SyntaxError('this is no plan');
  for (const [name, isRight] of Object.entries(fields)) {
    if (!isRight(plan[name as keyof Plan])) throw new SyntaxError(`this is no plan: ${name}`);
  }
  return plan;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isSize: Check = (value) => isCount(value) && value !== 0;
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isList =
  (isOne: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(isOne);
/** A list that may be missing: nothing else is chosen then. */
const mayBe =
  (is: Check): Check =>
  (value) =>
    value === undefined || is(value);
const isState: Check = (value) => states.includes(value as State);
const countsOf: Check = (value) => isObject(value) && states.every((state) => isSize(value[state]));

/** What each field has to be: an unknown size would cut no shards, and an unknown list would tell nobody. */
const fields: Readonly<Record<keyof Plan, Check>> = {
  pinsFile: isText,
  shardSize: isSize,
  hysteresis: (value) => isObject(value) && countsOf(value.up) && countsOf(value.down),
  timeoutMs: isSize,
  retries: isCount,
  recheckMs: isSize,
  receivers: isList(
    (value) =>
      isObject(value) &&
      isText(value.name) &&
      mayBe(isList(isState))(value.states) &&
      mayBe(isList(isText))(value.remarks),
  ),
  rotating: isList(isText),
};
