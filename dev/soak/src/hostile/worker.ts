/** One client in a process of its own, on whichever Node: `worker.ts NAME CONNECTIONS`. It prints a line of JSON. */
import { certificateHex, mint } from '@certpin/testkit';
import { codesOf } from '@certpin/testkit/conformance';
import { exchangeOnce, interruptionPlans, recordPlans, watchProcess } from '@certpin/testkit/conformance-records';
import { startHostileServers } from '@certpin/testkit/hostile-server';
import { startHttpProxy } from '@certpin/testkit/proxy';
import { hostileClients } from './clients.ts';

/** The client needs another Node. */
export interface NotRun {
  readonly node: string;
  readonly notRun: string;
}

/** The results of all connections of a client. */
export interface HostileResult {
  readonly client: string;
  readonly node: string;
  readonly seconds: number;
  /** Connections that the servers have seen, and calls that were made. */
  readonly connections: number;
  readonly calls: number;
  /** Calls by their end: a code, or the message where there is none. */
  readonly wrongServer: Readonly<Record<string, number>>;
  readonly rightServer: Readonly<Record<string, number>>;
  readonly impostorBytes: number;
  /** What nobody caught. */
  readonly processEvents: readonly string[];
}

/** Calls in progress at any time. */
const AT_ONCE = 40;
/** One call in this many meets the right server, but somebody on the way breaks its connection. */
const RIGHT_EVERY = 4;

const [name, wanted] = process.argv.slice(2);
const proxy = name?.endsWith('proxied') ? await startHttpProxy() : undefined;
const client = hostileClients(() => proxy?.url ?? '').find((one) => one.name === name);
if (client === undefined) throw new Error(`there is no client ${name}`);
if (client.notOnThisNode !== undefined) await print({ node: process.version, notRun: client.notOnThisNode });

const [own, other] = [await mint(), await mint()];
const [right, wrong] = [own, other].map((certificate) => startHostileServers(client.protocol, certificate)) as [
  ReturnType<typeof startHostileServers>,
  ReturnType<typeof startHostileServers>,
];
// In packets of TDS there is TLS 1.2.
const plans = [...recordPlans('TLSv1.2'), ...recordPlans('TLSv1.3'), ...interruptionPlans].filter(
  ({ version }) => client.protocol !== 'tds' || version === 'TLSv1.2',
);
// A client may begin again if the right server hangs up in good order. Without a limit, that never ends, with or without certpin.
const rightPlans = plans.filter(({ act }) => act !== 'end');
const wrongPorts = await Promise.all(plans.map(wrong.open));
const rightPorts = await Promise.all(rightPlans.map(right.open));

const watched = watchProcess();
const [wrongServer, rightServer]: Record<string, number>[] = [{}, {}] as const;
const count = (counts: Record<string, number> | undefined, end: string): void => {
  if (counts !== undefined) counts[end] = (counts[end] ?? 0) + 1;
};
const started = Date.now();
let calls = 0;
const work = async (): Promise<void> => {
  while (wrong.connections() + right.connections() < Number(wanted)) {
    const turn = calls++;
    const isRight = turn % RIGHT_EVERY === 0;
    const ports = isRight ? rightPorts : wrongPorts;
    const round = Math.floor(isRight ? turn / RIGHT_EVERY : turn - turn / RIGHT_EVERY);
    const outcome = await exchangeOnce(client, ports[round % ports.length] as number, { pins: certificateHex(own) });
    const end =
      typeof outcome === 'string'
        ? outcome
        : (codesOf(outcome.error).at(-1) ?? String((outcome.error as Error)?.message ?? outcome.error));
    count(isRight ? rightServer : wrongServer, end);
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, work));
await new Promise((resolve) => setTimeout(resolve, 200)); // The last records arrive.
const result: HostileResult = {
  client: client.name,
  node: process.version,
  seconds: Math.round((Date.now() - started) / 1000),
  connections: wrong.connections() + right.connections(),
  calls,
  wrongServer: wrongServer ?? {},
  rightServer: rightServer ?? {},
  impostorBytes: wrong.received(),
  processEvents: watched.events,
};
await proxy?.stop();
await print(result);

function print(result: HostileResult | NotRun): Promise<never> {
  return new Promise(() => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0)));
}
