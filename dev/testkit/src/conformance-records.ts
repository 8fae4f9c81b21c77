import {
  CANARY,
  type ConformanceCase,
  ConformanceFailure,
  codesOf,
  type ObservedAdapter,
  type SuiteAdapter,
  type SuitePolicy,
} from './conformance.ts';
import { type BrokenRecord, brokenRecords, type HostilePlan, startHostileServers } from './hostile-server.ts';
import { certificateHex, mint } from './mint.ts';

/** The result of a connection to a hostile server. */
export type HostileOutcome = 'accepted' | 'unsettled' | { readonly error: unknown };

/** A call without an end after this many milliseconds never ends: every plan is over by then. */
const DEADLINE_MS = 10_000;
/** Milliseconds after the last call, in which the last records arrive. */
const LATE_MS = 100;

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const records = Object.keys(brokenRecords) as BrokenRecord[];

/** Every record at each time after the last flight of the handshake. */
export const recordPlans = (version: HostilePlan['version']): HostilePlan[] =>
  [0, 1, 50].flatMap((afterMs) => records.map((act) => ({ version, step: 'flight' as const, act, afterMs })));

/** An end, orderly or not, at every step. After the last flight, also when there is a verdict. */
export const interruptionPlans: readonly HostilePlan[] = versions.flatMap((version) =>
  (['reset', 'end'] as const).flatMap((act) => [
    ...(['connect', 'upgrade', 'hello', 'middle', 'flight'] as const).map((step) => ({
      version,
      step,
      act,
      afterMs: 0,
    })),
    { version, step: 'flight' as const, act, afterMs: 20 },
  ]),
);

/** The handshake is broken at the moment in which the time limit of a stalled connection passes. */
const TIME_LIMIT_MS = 50;
const racingPlans: readonly HostilePlan[] = versions.flatMap((version) =>
  [...records, 'reset' as const].map((act) => ({ version, step: 'middle' as const, act, afterMs: TIME_LIMIT_MS })),
);

/** The suite for what a server does to the connection itself. It watches the process, which nothing may reach. */
export const recordCases: readonly ConformanceCase[] = [
  ...versions.flatMap((version): ConformanceCase[] => [
    {
      name: `whatever a wrong server puts behind its last flight, it is refused, once, over ${version}`,
      needs: version === 'TLSv1.3' ? ['TLS 1.3'] : [],
      run: (adapter) => meetAll(adapter, 'wrong', recordPlans(version), {}, 'ERR_PIN_MISMATCH'),
    },
    {
      name: `whatever follows the right server's last flight, the call has an end, over ${version}`,
      needs: version === 'TLSv1.3' ? ['TLS 1.3'] : [],
      run: (adapter) => meetAll(adapter, 'right', recordPlans(version), {}),
    },
  ]),
  {
    name: 'a wrong server that hangs up, or resets the connection, at any step: the call fails, once',
    run: (adapter) => meetAll(adapter, 'wrong', interruptionPlans, {}),
  },
  {
    name: 'the right server that resets the connection at any step: the call has an end',
    run: (adapter) =>
      meetAll(
        adapter,
        'right',
        interruptionPlans.filter(({ act }) => act === 'reset'),
        {},
      ),
  },
  {
    name: 'a handshake that breaks in the moment in which its time is over: the call fails, once',
    run: (adapter) => meetAll(adapter, 'wrong', racingPlans, { connectTimeoutMs: TIME_LIMIT_MS }),
  },
];

/** All plans at once. */
async function meetAll(
  adapter: ObservedAdapter,
  server: 'right' | 'wrong',
  plans: readonly HostilePlan[],
  more: Pick<SuitePolicy, 'connectTimeoutMs' | 'resumption'>,
  code?: string,
): Promise<void> {
  const [presented, other] = [await mint(), await mint()];
  const pins = certificateHex(server === 'right' ? presented : other);
  const servers = startHostileServers(adapter.protocol, presented);
  const watched = watchProcess();
  const faults: string[] = [];
  try {
    const meet = async (plan: HostilePlan): Promise<void> => {
      const outcome = await exchangeOnce(adapter, await servers.open(plan), { ...more, pins });
      const fault = faultOf(outcome, server, code);
      if (fault !== undefined) faults.push(`${describe(plan)}: ${fault}`);
      if (server === 'wrong') adapter.onWrongServer(servers.received());
    };
    const knowsAll = adapter.cannot?.['TLS 1.3'] === undefined;
    await Promise.all(plans.filter(({ version }) => knowsAll || version === 'TLSv1.2').map(meet));
    await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  } finally {
    await servers.close();
    watched.stop();
  }
  for (const event of watched.events) faults.push(`it reached the process: ${event}`);
  if (server === 'wrong' && servers.received() > 0)
    throw new ConformanceFailure('leaked', `${servers.received()} application bytes reached the wrong server`);
  if (faults.length > 0) throw new ConformanceFailure('brought-down', faults.join('\n'));
}

/** One call of a client of its own. */
export async function exchangeOnce(
  { createClient }: Pick<SuiteAdapter, 'createClient'>,
  port: number,
  policy: SuitePolicy,
): Promise<HostileOutcome> {
  const client = createClient({ host: '127.0.0.1', port }, policy, {});
  const outcome = await within<HostileOutcome>(
    client.exchange().then(
      () => 'accepted',
      (error: unknown) => ({ error }),
    ),
    'unsettled',
  );
  await within(
    client.close().catch(() => undefined),
    undefined,
  );
  return outcome;
}

function faultOf(outcome: HostileOutcome, server: 'right' | 'wrong', code: string | undefined): string | undefined {
  if (outcome === 'unsettled') return `no end within ${DEADLINE_MS} ms`;
  if (outcome === 'accepted') return server === 'wrong' ? 'the exchange went through' : undefined;
  if (code === undefined || codesOf(outcome.error).includes(code)) return undefined;
  return `expected ${code}, found ${codesOf(outcome.error).join(' < ') || String(outcome.error)}`;
}

function describe({ version, step, act, afterMs }: HostilePlan): string {
  return `${version}, ${act}, ${afterMs} ms after ${step}`;
}

async function within<Value>(promise: Promise<Value>, otherwise: Value): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Value>((resolve) => {
    timer = setTimeout(resolve, DEADLINE_MS, otherwise);
  });
  const value = await Promise.race([promise, late]);
  clearTimeout(timer);
  return value;
}

/** Notes what nobody has handled: each of these ends a process that does not watch. */
export function watchProcess(): { readonly events: readonly string[]; readonly stop: () => void } {
  const events: string[] = [];
  const note = (error: unknown): void => {
    events.push(
      String((error as Error | undefined)?.stack ?? error)
        .slice(0, 600)
        .replaceAll(CANARY, '…'),
    );
  };
  process.on('uncaughtException', note).on('unhandledRejection', note);
  return {
    events,
    stop: () => void process.off('uncaughtException', note).off('unhandledRejection', note),
  };
}
