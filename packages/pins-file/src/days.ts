export const DAY: number = 24 * 60 * 60 * 1000;

/** `212 days`, in words for people. Less than one day is said as such. */
export function days(milliseconds: number): string {
  const whole = Math.floor(milliseconds / DAY);
  return whole === 0 ? 'less than a day' : whole === 1 ? '1 day' : `${whole} days`;
}
