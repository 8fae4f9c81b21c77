import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { findPem } from 'certpin/probe';
import { toArguments } from './arguments.ts';
import { runChain } from './chain.ts';
import { findNode } from './find-node.ts';
import { follow } from './follow.ts';
import { entryOf, judgeOutcome, judgeSource, takesContext } from './judge.ts';
import type { ContainerOptions, RunOptions } from './options.ts';
import { type NetworkOptions, ScriptProcess } from './process.ts';
import { readRole } from './read-role.ts';
import { RunRecord } from './record.ts';
import type { RunResult } from './result.ts';
import type { ScriptKind } from './roles.ts';
import { RunError } from './run-error.ts';
import { readSource, type Script, type Source } from './source.ts';
import { triggers } from './triggers.ts';
import { refuseUnknownArguments } from './unused.ts';

/** One container: a process, and the `global` in it. */
export interface Container {
  /** Runs a script. Calls wait for each other. An array of Rules is a chain. */
  readonly run: (script: Script | readonly Script[], options?: RunOptions) => Promise<RunResult>;
  /** Ends the process; the next run begins with an empty `global`. */
  readonly reset: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const errorNames: Readonly<Record<ScriptKind, readonly string[]>> = {
  database: ['WrongUsernameOrPasswordError', 'ValidationError', 'UnauthorizedError'],
  rule: ['UnauthorizedError'],
  action: [],
  hook: [
    'InvalidScopeError',
    'InvalidRequestError',
    'ServerError',
    'PreUserRegistrationError',
    'SendPhoneMessageError',
  ],
};

/**
 * An emulator of the platform's container, for your own scripts. It is not a sandbox for hostile ones.
 *
 * @throws RunError `ERR_NODE_NOT_FOUND`, `ERR_OPTION_INVALID`
 */
export function createContainer(options: ContainerOptions = {}): Container {
  return openContainer(options);
}

/** {@link createContainer}, with the network in hand. */
export function openContainer(options: ContainerOptions, network?: NetworkOptions): Container {
  const { cwd = process.cwd(), timeLimitMs = 20_000, settleMs = 100 } = options;
  const trustedCaFile = options.trustedCaFile === undefined ? undefined : resolve(cwd, options.trustedCaFile);
  if (trustedCaFile !== undefined) checkCertificates(trustedCaFile);
  const node = findNode(options.node, { cwd, env: process.env });
  const readOnly = Number(/^v(\d+)/.exec(node.version)?.[1]) >= 22;
  let current: { process: ScriptProcess; runs: number } | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const reset = async (): Promise<void> => {
    const ending = current?.process;
    current = undefined;
    await ending?.end();
  };

  const open = (): { process: ScriptProcess; runs: number } => {
    if (current?.process.isAlive) return current;
    current = { process: new ScriptProcess({ node, cwd, readOnly, trustedCaFile, network }), runs: 0 };
    return current;
  };

  // Parsing a script takes longer than most logins. The same text is parsed only once. A file may have changed.
  const known = new WeakMap<object, Source>();
  const read = (script: Script): Source => {
    if (typeof script === 'string' || script instanceof URL) return readSource(script, cwd);
    const source = known.get(script) ?? readSource(script, cwd);
    known.set(script, source);
    return source;
  };

  const runOne = async (script: Script, run: RunOptions = {}): Promise<RunResult> => {
    if (isClosed) throw new RunError('ERR_CONTAINER_CLOSED', 'the container was closed');
    const source = read(script);
    const role = readRole(source, run);
    const entry = entryOf(source, role);
    const withContext = takesContext(source, role);
    refuseUnknownArguments(role, run);
    const values = toArguments(role, withContext, run);
    const record = new RunRecord();
    judgeSource(source, role, withContext, run.context !== undefined, record);
    const job = {
      ...{ kind: role.kind, name: role.name, handler: role.handler ?? '', file: source.file, text: source.text },
      ...{ form: source.form, entry: entry?.name ?? '', folders: [source.folder, cwd], arguments: values },
      configuration: run.configuration ?? options.configuration ?? {},
      auth0: run.auth0 ?? { domain: 'example.auth0.com', accessToken: '', baseUrl: 'https://example.auth0.com/api/v2' },
      ...{
        errors: errorNames[role.kind],
        methods: triggers[role.name]?.methods ?? [],
        returns: run.returns ?? {},
        settleMs,
      },
    };
    for (const message of current?.process.takeUnheard() ?? []) record.addEarlier(message);
    const container = open();
    const warm = container.runs++ > 0;
    const started = performance.now();
    await follow(container.process, job, container.runs, timeLimitMs, record);
    const durationMs = Math.round(performance.now() - started);
    if (record.ended !== null) await reset();
    const judged = judgeOutcome(role, source.text, values, record);
    const { findings, warnings, calls, consoleDropped, modules, ended } = record;
    return {
      ...{ script: source.file, kind: role.kind, name: role.name, ...judged, calls, findings, warnings },
      ...{
        console: record.console,
        consoleDropped,
        modules,
        durationMs,
        node: node.version,
        container: { warm, ended },
      },
    };
  };

  const run = async (script: Script | readonly Script[], given?: RunOptions): Promise<RunResult> =>
    isChain(script) ? runChain(script, given, runOne) : runOne(script, given);

  /** One run at a time: the calls of one container would share its console and its `global`. */
  const inTurn = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const next = queue.then(work);
    queue = next.catch(() => undefined);
    return next;
  };
  return {
    run: (script, given) => inTurn(() => run(script, given)),
    reset: () => inTurn(reset),
    close: () =>
      inTurn(async () => {
        isClosed = true;
        await reset();
      }),
  };
}

/**
 * Node continues without a file that it cannot read. Then the script would run with another trust than asked for.
 *
 * @throws RunError
 */
function checkCertificates(file: string): void {
  if (!existsSync(file)) throw new RunError('ERR_OPTION_INVALID', `${file}: no such file`);
  try {
    if (!statSync(file).isFile()) throw new TypeError('a device or a pipe need not end, and can be read once only');
    const text = readFileSync(file, 'latin1'); // As Node will read it.
    const [first] = findPem(text).filter(({ label }) => /^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label));
    new X509Certificate(first?.text ?? ''); // Not DER: X509Certificate accepts that too.
  } catch {
    throw new RunError('ERR_OPTION_INVALID', `${file} holds no certificate in PEM that can be read`);
  }
}

function isChain(script: Script | readonly Script[]): script is readonly Script[] {
  return Array.isArray(script);
}
