import type { TenantRequest } from './options.ts';
import type { FakeTenant } from './start.ts';

/** A person presses Ctrl-C while a request waits for its answer. The request is never answered. */
export function interruptAt(
  { onRequest }: Pick<FakeTenant, 'onRequest'>,
  isMeant: (request: TenantRequest) => boolean,
): AbortSignal {
  const person = new AbortController();
  const unhook = onRequest(async (request, proceed) => {
    if (!isMeant(request)) return proceed();
    unhook();
    person.abort();
    return 'hang';
  });
  return person.signal;
}
