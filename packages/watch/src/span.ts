const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY: number = 24 * HOUR;

/** A length of time for people: `40 minutes`. */
export function span(milliseconds: number): string {
  const in_ = (unit: number, one: string): string => {
    const count = Math.floor(milliseconds / unit);
    return `${count} ${one}${count === 1 ? '' : 's'}`;
  };
  if (milliseconds < MINUTE) return 'less than a minute';
  if (milliseconds < 2 * HOUR) return in_(MINUTE, 'minute');
  if (milliseconds < 2 * DAY) return in_(HOUR, 'hour');
  return in_(DAY, 'day');
}
