import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect } from 'certpin/probe';
import type { ScriptConnection } from '../run/process.ts';
import type { RunResult } from '../run/result.ts';
import type { RunScriptOptions } from '../run/run-script.ts';
import type { Script } from '../run/source.ts';
import type { KnownValue } from './evidence.ts';
import { BRIEF_MS, impostorsFor } from './impostors.ts';
import { carriedBy, knownValues, withoutValues } from './known-values.ts';
import type { ProofCa } from './mint.ts';
import { type Opening, OpeningWatch } from './opening.ts';
import { passOn, Relay } from './relay.ts';
import {
  type ImpostorName,
  type ProofReport,
  reasonsOf,
  reasonsTogether,
  type ServerProof,
  summarize,
  type Trial,
} from './report.ts';
import { Leavings, type Observation, Stage, type StageOptions } from './stage.ts';
import { type Act, type Cast, perform, type Server, type Target } from './trial.ts';

/** Servers that one script may talk to. */
const SERVERS = 8;

/** Connections to one server that are tried, each on its own. */
const CONNECTIONS = 8;

/** Runs at a time: more of them would only wait for one another, and scripts have time limits of their own. */
const AT_A_TIME = 4;

/** Logins in a warm container until one connects: the first may find its connection severed. */
const WARM_LOGINS = 3;

/** Stands in the place of all servers at once, and comes after a connection that failed: whom a script refuses last. */
const STRONGEST = 'trusted-ca';

export interface ProveOptions extends RunScriptOptions {
  /** How long a script is watched whose first connection stalls. Default: the time limit, at which the platform ends the container. */
  readonly stallMs?: number;
}

/**
 * Runs a script with its genuine servers, then with impostors in their place, and says what reached those. The arguments must be such
 * that the script succeeds: else the proof says nothing.
 *
 * @throws RunError where the script could not be run
 */
export async function prove(script: Script, options: ProveOptions = {}): Promise<ProofReport> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'certpin-proof-'));
  const relays = await Promise.all(Array.from({ length: SERVERS }, () => Relay.open()));
  // Loaded here: whoever only runs a script does not wait for it.
  const { mintProofCa } = await import('./mint.ts');
  const proof = new Proof(script, options, folder, await mintProofCa());
  try {
    const { control, servers, stage, seen } = await proof.runControl(relays);
    const { proofs, together } =
      control.status === 'success' ? await proof.tryImpostors(servers, stage, seen) : { proofs: [], together: [] };
    await stage.close();
    const reasons = [
      ...reasonsOfControl(control, servers, proof),
      ...proofs.flatMap(reasonsOf),
      ...proof.differing,
      ...reasonsTogether(together),
    ];
    const leaked = [...proofs.flatMap(({ trials }) => trials), ...together].some(({ bytes }) => bytes > 0);
    return withoutValues(
      {
        ...{ script: control.script, kind: control.kind, name: control.name, node: control.node },
        ...{ verdict: leaked ? 'leaked' : reasons.length > 0 ? 'unproved' : 'held', reasons },
        ...{ control: summarize(control), servers: proofs, together },
        durationMs: Math.round(performance.now() - started),
      },
      proof.known,
    );
  } finally {
    await proof.close();
    await Promise.all(relays.map((relay) => relay.close()));
    rmSync(folder, { recursive: true, force: true });
  }
}

function reasonsOfControl(control: RunResult, servers: readonly Server[], proof: Proof): string[] {
  if (control.status !== 'success') {
    const { error } = summarize(control);
    const said =
      error === null
        ? control.findings.map(({ message }) => message).join('; ')
        : `${error.code ?? error.name}: ${error.message}`;
    const advice = control.warnings.filter(({ code }) => code === 'advice').map(({ message }) => `; ${message}`);
    return [`the script does not succeed with the genuine server, so nothing can be proved: ${said}${advice.join('')}`];
  }
  return [
    ...(servers.length === 0 ? ['the script connected to no server'] : []),
    ...(proof.unseen > 0 ? [`the script talks to more than ${SERVERS} servers; those beyond were not tried`] : []),
    ...reasonsOfLeavings(proof.leavings, servers, proof.known),
    ...servers
      .filter(({ connections }) => connections > CONNECTIONS)
      .map(({ host, port }) => `${host}:${port}: of its connections, those beyond ${CONNECTIONS} were not tried`),
  ];
}

/** What left the process past all relays. A name can carry what it likes, so none is repeated. */
function reasonsOfLeavings(
  { ways, lookedUp, serverNames }: Leavings,
  servers: readonly Server[],
  known: readonly KnownValue[],
): string[] {
  const hosts = servers.map(({ host }) => host);
  const ours = new Set([...hosts, ...serverNames]);
  const strange = [...lookedUp].filter((name) => !ours.has(name));
  const carried = new Set([...hosts, ...serverNames, ...lookedUp].flatMap((name) => carriedBy(name, known)));
  return [
    ...[...ways].map((way) => `the script uses ${way}, and what it says there is not seen`),
    ...(strange.length > 0
      ? ['the script looks up a name that none of its servers has, and a name can carry data']
      : []),
    ...[...carried].map((label) => `the script puts ${label} into a name that goes over the network in clear`),
  ];
}

class Proof {
  private readonly script: Script;
  private readonly options: ProveOptions;
  private readonly ca: ProofCa;
  /** The CAs that the script trusts anyway, and the proof's. */
  private readonly trustedCaFile: string;
  private readonly stages = new Set<Stage>();
  readonly known: readonly KnownValue[];
  /** Connections of the control run for which there was no relay. */
  unseen = 0;
  readonly leavings = new Leavings();
  /** Servers that showed the script another certificate than the proof, one sentence each. */
  differing: readonly string[] = [];

  constructor(script: Script, options: ProveOptions, folder: string, ca: ProofCa) {
    this.script = script;
    this.options = options;
    this.ca = ca;
    this.known = knownValues(options);
    const { trustedCaFile, cwd = process.cwd() } = options;
    const before = trustedCaFile === undefined ? '' : readFileSync(resolve(cwd, trustedCaFile), 'utf8');
    this.trustedCaFile = join(folder, 'ca.pem');
    writeFileSync(this.trustedCaFile, `${before}\n${ca.pem}\n`);
  }

  private openStage(
    redirects: StageOptions['redirects'],
    spare: readonly number[],
    genuine: readonly string[] | null,
    act?: Act,
  ): Stage {
    const { script, trustedCaFile } = this;
    const { stallMs, ...given } = this.options;
    const options = act?.moment === 'after-stall' && stallMs !== undefined ? { ...given, timeLimitMs: stallMs } : given;
    const trust = { ca: this.ca.pem, genuine };
    const passesMs = act?.impostor === 'expiring' ? BRIEF_MS : undefined;
    const stage = new Stage({ script, options, redirects, spare, trust, passesMs, trustedCaFile }, this.leavings);
    this.stages.add(stage);
    return stage;
  }

  async close(): Promise<void> {
    await Promise.all([...this.stages].map((stage) => stage.close()));
  }

  /** Finds out on the way which servers the script talks to, and how. The container stays, warm. */
  async runControl(
    relays: readonly Relay[],
  ): Promise<{ control: RunResult; servers: readonly Server[]; stage: Stage; seen: Observation }> {
    const servers = new Map<number, Server>();
    const arrivals = new Map<number, (server: Server) => void>();
    for (const relay of relays) {
      const known = new Promise<Server>((resolve) => arrivals.set(relay.port, resolve));
      // The child tells where a connection was meant to go while it is on its way here.
      relay.receive = async (socket) => {
        const server = await known;
        passOn(socket, { host: server.host, port: server.port }, server.watch);
      };
    }
    const stage = this.openStage(
      [],
      relays.map(({ port }) => port),
      null,
    );
    stage.onConnection = ({ host, port, via }: ScriptConnection): void => {
      const relay = relays.find((candidate) => candidate.port === via);
      if (relay === undefined) this.unseen++;
      const known = relay && servers.get(relay.port);
      if (known !== undefined) known.connections++;
      if (relay === undefined || known !== undefined) return;
      const server = { host, port, relay, watch: new OpeningWatch(), connections: 1 };
      servers.set(relay.port, server);
      arrivals.get(relay.port)?.(server);
    };
    const { run: control, seen } = await stage.login();
    stage.onConnection = () => undefined;
    return { control, servers: [...servers.values()], stage, seen };
  }

  async tryImpostors(
    servers: readonly Server[],
    warm: Stage,
    control: Observation,
  ): Promise<{ proofs: ServerProof[]; together: readonly Trial[] }> {
    const targets = await Promise.all(servers.map((server) => this.study(server)));
    this.differing = differences(targets, control);
    for (const { relay, host, port } of servers) relay.receive = (socket) => passOn(socket, { host, port });
    const proofs: ServerProof[] = [];
    for (const target of targets) {
      const { server, opening, chain } = target;
      const { host, port } = server;
      const trials = await this.tryTarget(target, targets, warm);
      const certificateSha256 = chain[0]?.fingerprint256.replaceAll(':', '') ?? null;
      proofs.push({ host, port, speech: opening.speech, tls: opening.tls, certificateSha256, trials });
    }
    const everywhere: readonly ImpostorName[] = targets.length > 1 ? ['another-key', STRONGEST, 'plaintext'] : [];
    const together = await Promise.all(
      everywhere.map((impostor) => this.tryAct({ impostor, moment: 'at-once', passedOn: 0 }, targets, targets)),
    );
    return { proofs, together: together.flat() };
  }

  /** What is needed to stand in a server's place. */
  private async study(server: Server): Promise<Target> {
    const opening = server.watch.read() ?? { speech: 'http', tls: true };
    const chain = (opening.tls ? await readChain(server, opening) : undefined) ?? [];
    const { Forger } = await import('./mint.ts');
    return { server, opening, chain, forger: chain.length === 0 ? undefined : await Forger.create(chain, this.ca) };
  }

  private async tryTarget(target: Target, all: readonly Target[], warm: Stage): Promise<readonly Trial[]> {
    const { server, forger } = target;
    const impostors = forger === undefined ? (['plaintext'] as const) : impostorsFor(forger);
    const connections = Array.from({ length: Math.min(server.connections, CONNECTIONS) }, (_, index) => index);
    const acts: Act[] = connections.flatMap((passedOn) =>
      impostors.map((impostor) => ({ impostor, moment: 'at-once' as const, passedOn })),
    );
    const failures: Act[] = (['after-reset', 'after-refusal', 'after-stall'] as const).map((moment) => ({
      ...{ impostor: forger === undefined ? 'plaintext' : STRONGEST, moment, passedOn: 0 },
    }));
    const trials = await inTurns([...failures.reverse(), ...acts], (act) => this.tryAct(act, [target], all));
    const inOrder = [...trials.slice(failures.length), ...trials.slice(0, failures.length).reverse()].flat();
    return forger === undefined ? inOrder : [...inOrder, ...(await this.tryWarm(target, all, warm))];
  }

  /** One act in a container of its own; and the strongest impostor meets a second login there. */
  private async tryAct(act: Act, targets: readonly Target[], all: readonly Target[]): Promise<readonly Trial[]> {
    const posts = new Map<Target, Relay>();
    for (const target of targets) posts.set(target, await Relay.open());
    const firstVia = act.moment === 'after-refusal' ? { firstVia: await closedPort() } : {};
    const redirects = all.map((target) => {
      const { host, port, relay } = target.server;
      const post = posts.get(target);
      return { host, port, via: (post ?? relay).port, ...(post === undefined ? {} : firstVia) };
    });
    const genuine = all.flatMap(({ chain }) => chain.slice(0, 1)).map((leaf) => leaf.toString());
    const stage = this.openStage(redirects, [], genuine, act);
    try {
      const first = await perform(stage, act, this.cast(posts, all));
      const comesAgain = act.impostor === STRONGEST && act.moment === 'at-once' && act.passedOn === 0;
      if (!comesAgain) return [first];
      return [first, await perform(stage, { ...act, moment: 'again' }, this.cast(posts, all))];
    } finally {
      await stage.close();
      await Promise.all([...posts.values()].map((relay) => relay.close()));
    }
  }

  /** In the container of the control run, whose connections are severed. */
  private async tryWarm(target: Target, all: readonly Target[], warm: Stage): Promise<readonly Trial[]> {
    const { relay, host, port } = target.server;
    const act: Act = { impostor: STRONGEST, moment: 'warm', passedOn: 0 };
    let trial: Trial | undefined;
    for (let login = 0; login < WARM_LOGINS && (trial?.connections ?? 0) === 0; login++) {
      relay.sever();
      trial = await perform(warm, act, this.cast(new Map([[target, relay]]), all));
    }
    relay.sever();
    relay.receive = (socket) => passOn(socket, { host, port });
    return trial === undefined ? [] : [trial];
  }

  private cast(posts: Cast['posts'], all: readonly Target[]): Cast {
    const genuine = new Set(all.flatMap(({ chain }) => chain.slice(0, 1)).map(({ fingerprint256 }) => fingerprint256));
    return { posts, known: this.known, genuine };
  }
}

/** @returns in the order of the values */
async function inTurns<Value, Result>(
  values: readonly Value[],
  work: (value: Value) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...values.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return results;
}

/** A port of this machine on which nobody listens. */
async function closedPort(): Promise<number> {
  const relay = await Relay.open();
  const { port } = relay;
  await relay.close();
  return port;
}

/** Servers with several certificates show this and that one: what the proof imitated may not be what the script pins. */
function differences(targets: readonly Target[], { handshakes }: Observation): string[] {
  return targets
    .filter(({ chain: [leaf] }) => leaf !== undefined && !handshakes.has(leaf.fingerprint256))
    .map(
      ({ server: { host, port } }) =>
        `${host}:${port}: it presented another certificate to the script than to the proof`,
    );
}

/** What the genuine server presents; undefined where it cannot be asked. */
async function readChain({ host, port }: Server, { speech }: Opening): Promise<readonly X509Certificate[] | undefined> {
  const shown = host.includes(':') ? `[${host}]` : host;
  const protocol = speech === 'http' ? 'tls' : speech;
  try {
    const { certificates } = await inspect(`tls://${shown}:${port}`, { protocol });
    return certificates.map((certificate) => new X509Certificate((certificate as { der: Uint8Array }).der));
  } catch {
    return undefined;
  }
}
