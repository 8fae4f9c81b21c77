import { addressesOf, mapTargets, type ProbeOptions, type Target, type TargetOutcome } from 'certpin/probe';

/** Addresses of one server that are asked at the same time. */
const ADDRESSES_AT_A_TIME = 8;

/**
 * Asks a server a question at each address of its name (A and AAAA records, the hosts file), in the order of the look-up. Each address has
 * the whole time limit.
 *
 * @param options those of the question. `ask` gets them with the address, and the signal for this address
 * @param retries how often each address is asked again after a failure of the network
 * @throws what `addressesOf` throws; the signal's reason
 */
export async function askEachAddress<Answer>(
  target: Target,
  options: ProbeOptions,
  retries: number | undefined,
  ask: (options: ProbeOptions) => Promise<Answer>,
): Promise<readonly TargetOutcome<string, Answer>[]> {
  const { signal } = options;
  const addresses = await addressesOf(target, options);
  const outcomes: TargetOutcome<string, Answer>[] = [];
  const how = { concurrency: ADDRESSES_AT_A_TIME, order: 'given', retries, signal } as const;
  const question = (address: string, own: AbortSignal) => ask({ ...options, address, signal: own });
  for await (const outcome of mapTargets(addresses, question, how)) outcomes.push(outcome);
  if (signal?.aborted) throw signal.reason;
  return outcomes;
}
