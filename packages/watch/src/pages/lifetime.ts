import { type Html, html } from './html.ts';

/**
 * How much of a certificate's lifetime has passed, as a bar. It contains a text for people who do not see it. It is never green: an
 * attacker in between can have a certificate with a long life too.
 */
export function lifetimeBar(startsAt: number, endsAt: number, now: number): Html {
  const share = endsAt <= startsAt ? 1 : (now - startsAt) / (endsAt - startsAt);
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  const tone = share >= 1 ? 'bad' : share >= 0.75 ? 'soon' : 'calm';
  return html`<svg class="life ${tone}" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="${percent} % of the lifetime has passed"><rect class="all" width="100" height="6"/><rect class="used" width="${percent}" height="6"/></svg>`;
}
