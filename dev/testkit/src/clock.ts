import type { TestContext } from 'node:test';

interface Clock {
  now(): number;
}

/**
 * Stops clocks of this process for one test. How fast the machine is does not matter then.
 *
 * @param clocks default: that of the day
 * @returns lets time pass
 */
export function stopClock(t: TestContext, clocks: readonly Clock[] = [Date]): (milliseconds: number) => void {
  let passed = 0;
  for (const clock of clocks) {
    const begun = clock.now();
    t.mock.method(clock, 'now', () => begun + passed);
  }
  return (milliseconds) => {
    passed += milliseconds;
  };
}
