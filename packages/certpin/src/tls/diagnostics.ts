import { channel } from 'node:diagnostics_channel';
import type { Verdict } from '../core/verdict.ts';

/** The name of the `node:diagnostics_channel` on which every verdict of the guard is published, as a {@link Verdict}. */
export const VERDICT_CHANNEL = 'certpin:verdict';

const verdicts = /* @__PURE__ */ channel(VERDICT_CHANNEL);

/** Publishes a verdict, for code that counts or logs. A verdict holds no secret: only host, port, certificates and pins. */
export function publishVerdict(verdict: Verdict): Verdict {
  if (verdicts.hasSubscribers) verdicts.publish(verdict);
  return verdict;
}
