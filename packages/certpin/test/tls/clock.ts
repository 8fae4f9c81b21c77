/** Runs `use` while every clock of this process shows `time`, in milliseconds since 1970. Node 18 has no mock of `Date`. */
export async function atTime<Result>(time: number, use: () => Promise<Result>): Promise<Result> {
  const RealDate = Date;
  class FixedDate extends RealDate {
    constructor(...given: [] | [number | string]) {
      super(...((given.length === 0 ? [time] : given) as [number]));
    }
    static override now(): number {
      return time;
    }
  }
  globalThis.Date = FixedDate as DateConstructor;
  try {
    return await use();
  } finally {
    globalThis.Date = RealDate;
  }
}
