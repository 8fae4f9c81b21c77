import { DAY } from './days.ts';

/** How near the end of a certificate is near: a time, or a share of the certificate's whole lifetime. */
export type Span = { readonly milliseconds: number } | { readonly share: number };

/** `30d`, `36h`, `25%`; `0d`: never. undefined: anything else. */
export function parseSpan(text: string): Span | undefined {
  const [, count = '', unit] = /^(0(?=d)|[1-9]\d{0,3}(?=[hd])|[1-9]\d?(?=%))([hd%])$/.exec(text) ?? [];
  if (unit === undefined) return undefined;
  if (unit === '%') return { share: Number(count) / 100 };
  return { milliseconds: Number(count) * (unit === 'h' ? DAY / 24 : DAY) };
}

/** In milliseconds, for a certificate that is valid between the two times. */
export function spanOf(span: Span, from: number, to: number): number {
  return 'share' in span ? (to - from) * span.share : span.milliseconds;
}
