import { span } from '../span.ts';
import { type Html, html } from './html.ts';

export { DAY } from '../span.ts';

/** The present time, and how times are written. */
export interface Clock {
  readonly now: number;
  /** `2026-11-29 20:07 UTC`, with the machine-readable form. */
  readonly moment: (time: number) => Html;
  /** `2026-11-29`, in the zone. */
  readonly day: (time: number) => string;
  /** `3 hours ago`, `in 12 days`. */
  readonly distance: (time: number) => string;
  /** How the zone is called. */
  readonly zone: string;
}

/** @throws RangeError if there is no such zone */
export function createClock(timeZone: string, now: number): Clock {
  const parts = formatOf(timeZone);
  const day = (time: number): string => {
    const { year, month, day: ofMonth } = parts(time);
    return `${year}-${month}-${ofMonth}`;
  };
  return {
    now,
    zone: timeZone,
    day,
    moment: (time) => {
      const { hour, minute, timeZoneName = '' } = parts(time);
      const zone = timeZone === 'UTC' ? 'UTC' : timeZoneName.replace(/^GMT$/, 'GMT+00:00').replace(/^GMT/, '');
      return html`<time datetime="${iso(time) ?? ''}">${day(time)} ${hour}:${minute} ${zone}</time>`;
    },
    distance: (time) => (time <= now ? `${span(now - time)} ago` : `in ${span(time - now)}`),
  };
}

type Parts = Readonly<Record<string, string>>;

/** Making a format takes longer than using it a hundred times. */
const formats = new Map<string, (time: number) => Parts>();

function formatOf(timeZone: string): (time: number) => Parts {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  });
  const parts = (time: number): Parts =>
    Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value]));
  formats.set(timeZone, parts);
  return parts;
}

/** For programs. null: there is no time, or no calendar has it. */
export function iso(time: number | null): string | null {
  if (time === null || Number.isNaN(new Date(time).getTime())) return null;
  return new Date(time).toISOString();
}
