/**
 * Asks, and asks again after failures of the network, with a longer pause each time.
 *
 * @param signal ends it at once, whether the question obeys it or not
 * @throws the error of the last attempt, or the signal's reason if it was aborted during one
 */
export async function withRetries<Answer>(
  ask: () => Promise<Answer>,
  retries: number,
  signal: AbortSignal,
): Promise<Answer> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  for (let retry = 0; ; retry++) {
    try {
      return await Promise.race([aborted, (async () => ask())()]); // The question may throw at once.
    } catch (error) {
      if (signal.aborted || retry === retries || !mayPass(error)) throw error;
      await pause(Math.min(250 * 2 ** retry, 4_000), signal);
      if (signal.aborted) throw error;
    }
  }
}

/** Failures of the network that may soon be over. What a server itself says, it would say again. */
const NETWORK =
  /^(?:E(?:CONN(?:RESET|REFUSED|ABORTED)|TIMEDOUT|HOSTUNREACH|NETUNREACH|NETDOWN|PIPE|AI_AGAIN)|ERR_CONNECT_TIMEOUT|ERR_CONNECTION_CLOSED)$/;

function mayPass(error: unknown): boolean {
  return NETWORK.test(String((error as { code?: unknown } | undefined)?.code));
}

/** Ends early if the signal is aborted. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}
