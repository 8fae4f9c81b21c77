import { findCertpinError } from '../errors.ts';
import type { Address, Attempt, Opener } from '../leaf/pinner.ts';

/**
 * Tries one host after the other, each with the whole time limit, as libpq does. A refusal says more than a host that was not there. So the
 * refusal is the error that is passed on.
 */
export function openFirst(open: Opener, addresses: readonly Address[]): Opener {
  return (_, stream) => {
    const failures: Error[] = [];
    let isGivenUp = false;
    let current: Attempt | undefined;
    const tryNext = (): void => {
      let isSettled = false;
      const settle = (error: Error | undefined, take: () => unknown): void => {
        if (isSettled) return;
        isSettled = true;
        if (error !== undefined) failures.push(error);
        if (isGivenUp || error === undefined) take();
        else if (failures.length < addresses.length) tryNext();
        else stream.destroy(failures.map(findCertpinError).find((found) => found !== undefined) ?? error);
      };
      const fail = (error?: Error): void => settle(error, () => stream.destroy(error));
      const attempt = open(addresses[failures.length] as Address, {
        adopt: (socket) => settle(undefined, () => stream.adopt(socket)),
        destroy: (error) => {
          fail(error);
          attempt.destroy();
        },
      });
      current = attempt;
    };
    tryNext();
    const destroy = (): void => {
      isGivenUp = true;
      current?.destroy();
    };
    return { destroy };
  };
}
