import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CountingServer, certificateHex, type Minted, mint, startTlsServer } from '@certpin/testkit';
import { faultsOf, type Growth, growthOf, type Sample } from './growth.ts';
import { startReceiver } from './receiver.ts';
import { startWatcher, type Watcher } from './watcher.ts';

export interface WatchSoakOptions {
  /** Rounds are begun until this much time has passed; there are six at least. */
  readonly durationMs: number;
  /** How long each phase of a round lasts. */
  readonly phaseMs: number;
  readonly targets: number;
  readonly onProgress?: (progress: WatchProgress) => void;
}

export interface WatchProgress {
  readonly round: number;
  readonly phase: string;
  readonly sample: Sample | undefined;
  readonly faults: readonly string[];
}

export interface WatchSoakResult {
  readonly seconds: number;
  readonly rounds: number;
  readonly targets: number;
  readonly handshakes: number;
  /** Transitions that the receiver was told. */
  readonly told: number;
  readonly pages: number;
  readonly growth: Growth;
  /** What did not hold. Empty: everything held. */
  readonly faults: readonly string[];
}

/** Two to warm up, and two for each of what is compared. */
const LEAST_ROUNDS = 6;
/** The least that is allowed. */
const INTERVAL_SECONDS = 10;
/** In which all that was wrong is right again: some checks have to say so. */
const SETTLE_MS = 90_000;

/**
 * Runs `certpin watch`, and says whether its memory and its file descriptors stay what they are. Meanwhile certificates change, as planned and
 * otherwise. A server falls silent, the receiver is down, the pins file is rewritten, and people read the pages.
 */
export async function soakWatch(options: WatchSoakOptions): Promise<WatchSoakResult> {
  const { durationMs, phaseMs, targets: count, onProgress = () => undefined } = options;
  const folder = mkdtempSync(join(tmpdir(), 'certpin-soak-'));
  const own = await mint({ validToDays: 300 });
  const [next, stranger] = [await mint({ validToDays: 300 }), await mint({ validToDays: 300 })];
  const servers = await startServers(own);
  const receiver = await startReceiver();
  const write = (name: string, value: object): void => writeFileSync(join(folder, name), JSON.stringify(value));
  const writePins = (note: string): void =>
    write('certpin.json', {
      version: 2,
      targets: Array.from({ length: count }, (_, index) => ({
        target: `tls://127.0.0.1:${portOf(servers, index)}`,
        servername: `t${index}.example`,
        pins: [certificateHex(own), certificateHex(next)],
        note,
      })),
    });
  writePins('the first one');
  write('certpin.watch.json', {
    ...{ intervalSeconds: INTERVAL_SECONDS, recheckSeconds: 1, timeoutSeconds: 2, retries: 0 },
    listen: { address: '127.0.0.1:0' },
    receivers: [{ name: 'ops', kind: 'webhook', url: receiver.url, secret: { env: 'SOAK_SECRET' } }],
  });
  const watcher = await startWatcher(folder, `whsec_${Buffer.alloc(32, 7).toString('base64')}`);

  const started = Date.now();
  const samples: Sample[] = [];
  const other: string[] = [];
  let round = 0;
  let pages = 0;
  const faults = (): readonly string[] => [...watcher.faults, ...receiver.faults, ...other];
  const phase = async (name: string, act: () => unknown): Promise<void> => {
    onProgress({ round, phase: name, sample: samples.at(-1), faults: faults() });
    await act();
    const end = Date.now() + phaseMs;
    while (Date.now() < end) {
      pages += await readPages(watcher);
      await delay(Math.min(500, phaseMs / 4));
    }
  };
  const isWell = async (when: string): Promise<void> => {
    const wrong = await untilWell(watcher, count);
    if (wrong !== undefined) other.push(`${when}, not every target holds: ${wrong}`);
  };
  try {
    // A target that was never asked would take the certificate of the next phase for its first one.
    await isWell('before the first round');
    while (round < LEAST_ROUNDS || Date.now() - started < durationMs) {
      round++;
      await phase('a planned rotation', () => servers.rotating.present(next));
      await phase('another certificate', () => servers.drifting.present(stranger));
      await phase('a server is silent', () => servers.setSilent(true));
      await phase('the receiver is down', () => receiver.setDown(true));
      await phase('another pins file', () => {
        writePins(`round ${round}`);
        watcher.reload();
      });
      await phase('all is well again', () => {
        servers.setSilent(false);
        receiver.setDown(false);
        servers.rotating.present(own);
        servers.drifting.present(own);
      });
      // Only then is a sample like the others, however fast the machine is: no check of a server in trouble is under way.
      await isWell(`after round ${round}`);
      samples.push(await watcher.sample());
    }
  } finally {
    const code = await watcher.stop();
    if (code !== 0) other.push(`the watcher has ended with ${code}`);
    await Promise.all([servers.close(), receiver.close()]);
    rmSync(folder, { recursive: true });
  }
  const growth = growthOf(samples);
  if (receiver.told() === 0) other.push('nothing was told');
  return {
    ...{ seconds: Math.round((Date.now() - started) / 1000), rounds: round, targets: count, pages },
    ...{ handshakes: servers.handshakes(), told: receiver.told(), growth },
    faults: [...faults(), ...faultsOf(growth)],
  };
}

interface Servers {
  readonly steady: CountingServer;
  readonly rotating: CountingServer;
  readonly drifting: CountingServer;
  /** It hangs up before a handshake. */
  readonly moody: CountingServer;
  readonly setSilent: (isSilent: boolean) => void;
  readonly handshakes: () => number;
  readonly close: () => Promise<unknown>;
}

async function startServers(certificate: Minted): Promise<Servers> {
  const start = () => startTlsServer({ certificate });
  const [steady, rotating, drifting, moody] = [await start(), await start(), await start(), await start()];
  const all = [steady, rotating, drifting, moody];
  let isSilent = false;
  // Before TLS has a look at it.
  moody.server.prependListener('connection', (socket) => {
    if (isSilent) socket.destroy();
  });
  return {
    ...{ steady, rotating, drifting, moody },
    setSilent: (silent) => {
      isSilent = silent;
    },
    handshakes: () => all.reduce((sum, one) => sum + one.handshakes(), 0),
    close: () => Promise.all(all.map((one) => one.close())),
  };
}

/** Most targets are steady: a watcher of which everything changes all the time is no watcher that anybody has. */
function portOf({ steady, rotating, drifting, moody }: Servers, index: number): number {
  return ([rotating, drifting, moody][index % 20] ?? steady).port;
}

/** @returns how many */
async function readPages({ url }: Watcher): Promise<number> {
  const paths = ['', 'targets?sort=ends', 'targets?state=drift', 'calendar', 'changes', 'metrics', 'index.json'];
  for (const path of paths) {
    const answer = await fetch(new URL(path, url));
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`/${path} is answered with ${answer.status}`);
  }
  return paths.length;
}

/** @returns the states of all targets, if they do not all hold in time */
async function untilWell({ url }: Watcher, count: number): Promise<string | undefined> {
  let counts: Record<string, number> = {};
  for (const end = Date.now() + SETTLE_MS; Date.now() < end; await delay(500)) {
    ({ counts } = (await (await fetch(new URL('index.json', url))).json()) as { counts: Record<string, number> });
    if (counts.holds === count) return undefined;
  }
  return JSON.stringify(counts);
}
