import type { DeliveryOutcome, DeliveryStatus } from './delivered.ts';
import type { Plan } from './plan.ts';
import { describePlace, type Item, isNeeded, isSame, type Step, type Wish } from './wish.ts';

/** The state of every place, as far as the work has come. */
export class Report {
  readonly written: Set<Step> = new Set();
  failed: Step | undefined;
  /** Nothing more is going to be written. */
  isOver = false;
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  outcomes(): readonly DeliveryOutcome[] {
    const planned = this.#plan.steps.flatMap((step) =>
      step.items.map((item) => {
        const status = this.#statusOf(step, item);
        return toOutcome(item, status, reasonOf(item, status));
      }),
    );
    const others = this.#plan.elsewhere.map((wish) =>
      toOutcome(wish, wish.why, `${describePlace(wish.place)}: ${wish.reason}`),
    );
    return [...planned, ...others];
  }

  #statusOf(step: Step, item: Item): DeliveryStatus {
    if (this.written.has(step)) return 'written';
    if (this.failed === step) return 'failed';
    if (!isNeeded(step, item)) return 'same';
    return this.isOver ? 'not-done' : 'would-write';
  }
}

function toOutcome({ entry, place }: Wish, status: DeliveryStatus, reason: string): DeliveryOutcome {
  return { target: entry.label, id: entry.id, place, status, reason };
}

function reasonOf(item: Item, status: DeliveryStatus): string {
  const { standing } = item;
  const what = describePlace(item.place);
  if (status === 'written') return `${what}: the pins were written`;
  if (standing.how === 'unknown') return `${what}: ${standing.reason}`;
  if (standing.how === 'absent') return `${what}: it had nothing`;
  if (isSame(item)) return `${what}: it has the pins${standing.how === 'witness' ? ', as a witness shows' : ''}`;
  return `${what}: it had other pins`;
}
