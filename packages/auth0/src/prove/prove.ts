import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect } from 'certpin/probe';
import { type ContainerOptions, openContainer } from '../run/container.ts';
import type { NetworkOptions, ScriptConnection } from '../run/process.ts';
import type { RunResult } from '../run/result.ts';
import type { RunScriptOptions } from '../run/run-script.ts';
import type { Script } from '../run/source.ts';
import { Evidence, type KnownValue, SHORTEST } from './evidence.ts';
import { createImpostor } from './impostor.ts';
import { type Opening, OpeningWatch } from './opening.ts';
import { passOn, Relay } from './relay.ts';
import {
  type ImpostorName,
  type ProofReport,
  type RunSummary,
  reasonsOf,
  type ServerProof,
  summarize,
  type Trial,
} from './report.ts';

/** Servers that one script may talk to. */
const SERVERS = 8;

/** Connections to one server that are tried, each on its own. */
const CONNECTIONS = 8;

/** How long a script is watched after its answer: bytes that leave late count too. */
const SETTLE_MS = 500;

interface Attempt {
  readonly impostor: ImpostorName;
  readonly passedOn: number;
  readonly server: Server;
  readonly all: readonly Server[];
  readonly opening: Opening;
  readonly chain: readonly X509Certificate[];
}

interface Server {
  readonly host: string;
  readonly port: number;
  readonly relay: Relay;
  readonly watch: OpeningWatch;
  /** Of the control run. */
  connections: number;
}

/**
 * Runs a script with its genuine servers, then with impostors in their place, and says what reached those. The arguments must be such
 * that the script succeeds: else the proof says nothing.
 *
 * @throws RunError where the script could not be run
 */
export async function prove(script: Script, options: RunScriptOptions = {}): Promise<ProofReport> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'certpin-proof-'));
  const relays = await Promise.all(Array.from({ length: SERVERS }, () => Relay.open()));
  try {
    const proof = new Proof(script, options, folder);
    const { control, servers } = await proof.runControl(relays);
    const proofs: ServerProof[] = [];
    if (control.status === 'success')
      for (const server of servers) proofs.push(await proof.tryImpostors(server, servers));
    const reasons = [...reasonsOfControl(control, servers, proof), ...proofs.flatMap(reasonsOf)];
    const leaked = proofs.some(({ trials }) => trials.some(({ bytes }) => bytes > 0));
    return withoutValues(
      {
        ...{ script: control.script, kind: control.kind, name: control.name, node: control.node },
        ...{ verdict: leaked ? 'leaked' : reasons.length > 0 ? 'unproved' : 'held', reasons },
        ...{ control: summarize(control), servers: proofs, durationMs: Math.round(performance.now() - started) },
      },
      proof.known,
    );
  } finally {
    await Promise.all(relays.map((relay) => relay.close()));
    rmSync(folder, { recursive: true, force: true });
  }
}

function reasonsOfControl(control: RunResult, servers: readonly Server[], { unseen, otherWays }: Proof): string[] {
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
    ...(unseen > 0 ? [`the script talks to more than ${SERVERS} servers; those beyond were not tried`] : []),
    ...[...otherWays].map((way) => `the script uses ${way}, and what it says there is not seen`),
    ...servers
      .filter(({ connections }) => connections > CONNECTIONS)
      .map(({ host, port }) => `${host}:${port}: of its connections, those beyond ${CONNECTIONS} were not tried`),
  ];
}

/** The report, without the values that the run was given: a script can put them into its errors. */
function withoutValues(report: ProofReport, known: readonly KnownValue[]): ProofReport {
  const longest = known.filter(({ value }) => value.length >= SHORTEST).sort((a, b) => b.value.length - a.value.length);
  const clean = (text: string): string =>
    longest.reduce((cleaned, { label, value }) => cleaned.replaceAll(value, `[${label}]`), text);
  const run = ({ error, findings, ...others }: RunSummary): RunSummary => ({
    ...others,
    error: error && { ...error, message: clean(error.message) },
    findings: findings.map(({ code, message }) => ({ code, message: clean(message) })),
  });
  return {
    ...report,
    reasons: report.reasons.map(clean),
    control: run(report.control),
    servers: report.servers.map((server) => ({
      ...server,
      trials: server.trials.map((trial) => ({ ...trial, run: run(trial.run) })),
    })),
  };
}

class Proof {
  private readonly script: Script;
  private readonly options: RunScriptOptions;
  private readonly folder: string;
  readonly known: readonly KnownValue[];
  /** Connections of the control run for which there was no relay. */
  unseen = 0;
  /** Ways of any run on which bytes can leave unseen. */
  readonly otherWays = new Set<string>();

  constructor(script: Script, options: RunScriptOptions, folder: string) {
    this.script = script;
    this.options = options;
    this.folder = folder;
    this.known = knownValues(options);
  }

  /** Finds out on the way which servers the script talks to, and how. */
  async runControl(relays: readonly Relay[]): Promise<{ control: RunResult; servers: readonly Server[] }> {
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
    const onConnection = ({ host, port, via }: ScriptConnection): void => {
      const relay = relays.find((candidate) => candidate.port === via);
      if (relay === undefined) this.unseen++;
      const known = relay && servers.get(relay.port);
      if (known !== undefined) known.connections++;
      if (relay === undefined || known !== undefined) return;
      const server = { host, port, relay, watch: new OpeningWatch(), connections: 1 };
      servers.set(relay.port, server);
      arrivals.get(relay.port)?.(server);
    };
    const spare = relays.map(({ port }) => port);
    const control = await this.run({ redirects: [], spare, onConnection }, this.options.trustedCaFile);
    return { control, servers: [...servers.values()] };
  }

  async tryImpostors(server: Server, all: readonly Server[]): Promise<ServerProof> {
    const { host, port, watch } = server;
    const opening = watch.read() ?? { speech: 'http', tls: true };
    const chain = opening.tls ? await readChain(server, opening) : undefined;
    const proof = { host, port, speech: opening.speech, tls: opening.tls };
    for (const { relay, ...other } of all)
      relay.receive = (socket) => passOn(socket, { host: other.host, port: other.port });
    const trials: Trial[] = [];
    for (let passedOn = 0; passedOn < Math.min(server.connections, CONNECTIONS); passedOn++) {
      const attempts = impostorsFor(opening, chain).map((impostor) =>
        this.tryImpostor({ impostor, passedOn, server, all, opening, chain: chain ?? [] }),
      );
      trials.push(...(await Promise.all(attempts)));
    }
    return { ...proof, certificateSha256: chain?.[0]?.fingerprint256.replaceAll(':', '') ?? null, trials };
  }

  private async tryImpostor({ impostor, passedOn, server, all, opening, chain }: Attempt): Promise<Trial> {
    const evidence = new Evidence(this.known);
    const [leaf] = chain;
    // Loaded here: whoever only runs a script does not wait for it.
    const { impersonate } = await import('./mint.ts');
    const twin =
      impostor === 'plaintext' || leaf === undefined ? undefined : await impersonate(leaf, impostor === 'trusted-ca');
    const credentials = twin?.credentials;
    const stolen = impostor === 'stolen-certificate' ? { stolenChain: chain } : {};
    const relay = await Relay.open();
    const impersonator = createImpostor({ opening, credentials, ...stolen, evidence });
    let arrived = 0;
    relay.receive = (socket) => {
      if (arrived++ < passedOn) passOn(socket, { host: server.host, port: server.port });
      else impersonator(socket);
    };
    const elsewhere = new Set<string>();
    const redirects = all.map((one) => ({
      host: one.host,
      port: one.port,
      via: (one === server ? relay : one.relay).port,
    }));
    const trusted = impostor === 'trusted-ca' ? this.trustAlso(twin?.caPem) : this.options.trustedCaFile;
    try {
      const network: NetworkOptions = {
        redirects,
        spare: [],
        onConnection: ({ host, port, via }) => {
          if (via === null) elsewhere.add(`${host}:${port}`);
          if (via === relay.port) relay.expect();
        },
        onException: (thrownAt) => evidence.seeException(thrownAt),
      };
      const result = await this.run(network, trusted, async () => {
        if (evidence.sum().bytes === 0) await relay.drain();
        evidence.close();
      });
      await relay.drain();
      return { impostor, passedOn, ...evidence.sum(), elsewhere: [...elsewhere], run: summarize(result) };
    } finally {
      await relay.close();
    }
  }

  /** A file with the CAs that the script trusts anyway, and one of the impostor's. */
  private trustAlso(caPem = ''): string {
    const { trustedCaFile, cwd = process.cwd() } = this.options;
    const before = trustedCaFile === undefined ? '' : readFileSync(resolve(cwd, trustedCaFile), 'utf8');
    const file = join(this.folder, 'ca.pem');
    writeFileSync(file, `${before}\n${caPem}\n`);
    return file;
  }

  /** @param beforeEnd what is waited for while the script's process still lives */
  private async run(
    network: NetworkOptions,
    trustedCaFile: string | undefined,
    beforeEnd: () => Promise<void> = async () => undefined,
  ): Promise<RunResult> {
    const { trustedCaFile: _given, ...options } = this.options;
    const settings: ContainerOptions = {
      settleMs: SETTLE_MS,
      ...options,
      ...(trustedCaFile === undefined ? {} : { trustedCaFile }),
    };
    const container = openContainer(settings, { ...network, onOtherWay: (way) => this.otherWays.add(way) });
    try {
      const result = await container.run(this.script, this.options);
      await beforeEnd();
      return result;
    } finally {
      await container.close();
    }
  }
}

function impostorsFor({ tls }: Opening, chain: readonly X509Certificate[] | undefined): readonly ImpostorName[] {
  return tls && chain !== undefined ? ['another-key', 'trusted-ca', 'stolen-certificate', 'plaintext'] : ['plaintext'];
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

/** What to look for in what arrives: who logs in, with what, and what the configuration keeps secret. */
function knownValues({ args = {}, user = {}, configuration = {}, secrets = {} }: RunScriptOptions): KnownValue[] {
  const isSecret = /pass|secret|token|key|user|credential/i;
  const labelOf = (name: string): string => (/password/i.test(name) ? 'password' : 'user name');
  const named = Object.entries({ ...user, ...args }).map(([name, value]) => ({ label: labelOf(name), value }));
  const kept = [
    ...Object.entries(configuration).map(([name, value]) => ({ label: `configuration.${name}`, value })),
    ...Object.entries(secrets).map(([name, value]) => ({ label: `secrets.${name}`, value })),
  ].filter(({ label }) => isSecret.test(label));
  return [...named, ...kept].filter((entry): entry is KnownValue => typeof entry.value === 'string');
}
