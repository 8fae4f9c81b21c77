import { CertpinError } from '../errors.ts';
import type { UpgradeProtocol, UpgradeStep } from '../protocols/contract.ts';
import { type UpgradeName, upgradeProtocols } from '../protocols/registry.ts';
import { attempt, type Reached } from './attempt.ts';
import { speaksTls } from './handshake-failure.ts';
import type { Settings } from './options.ts';
import { answersHttp, HTTP_ANSWER } from './other-answer.ts';
import type { Protocol } from './schemes.ts';
import type { ServerTarget, SocketTarget } from './target.ts';
import { type Stop, withTimeLimit } from './time-limit.ts';

/** How many milliseconds a server gets to begin to speak before the client speaks. With a short time limit, a quarter of it. */
const LISTENING_MS = 300;

/** The time that the attempts share if there is no limit. */
const NO_LIMIT_MS = 30_000;

/** A longer greeting that still fits no protocol belongs to no known one. */
const MAX_GREETING_BYTES = 1_024;

/** Services that never have TLS on these ports. */
const plaintextPorts: Record<number, string> = {
  22: 'port 22 is SSH, which has no certificate; ssh-keyscan shows its key',
  80: 'port 80 is plaintext HTTP; the certificate is found at port 443',
};

const names = Object.keys(upgradeProtocols) as UpgradeName[];

export interface Detected {
  readonly peer: Reached;
  readonly protocol: Protocol;
}

/**
 * Finds out how a server comes to TLS. It listens for a moment. A server that greets is answered in its own protocol. If the server says
 * nothing, TLS is tried. If it does not accept TLS, every protocol is tried in which the client speaks first, with a connection for each.
 * All of it stays within the time limit.
 *
 * @throws CertpinError `ERR_TLS_NOT_FOUND`, or the failure of the protocol that was found
 */
export async function detect(
  target: ServerTarget | SocketTarget,
  settings: Settings,
  host: string,
  signal: Stop,
): Promise<Detected> {
  const plaintext = 'port' in target ? plaintextPorts[target.port] : undefined;
  if (plaintext !== undefined) throw notFound(`${plaintext} (to ask it anyway, name a protocol)`, []);
  const budget = settings.timeoutMs || NO_LIMIT_MS;
  const startedAt = performance.now();
  const ear = createEar(host);
  let failure: Error;
  let listening: NodeJS.Timeout | undefined;
  try {
    const peer = await withTimeLimit(0, signal, (own, limit) =>
      attempt(target, settings, {
        upgrade: {
          ...ear.upgrade(() => limit(0)),
          attach: (proceed) => {
            listening = setTimeout(
              () => {
                if (ear.state() === 'answering') return;
                // A server that does not answer to TLS leaves half of the time for the other protocols.
                limit(budget / 2);
                if (ear.startTls()) proceed({ next: 'tls' });
              },
              Math.min(LISTENING_MS, budget / 4),
            );
          },
        },
        signal: own,
      }),
    );
    return { peer, protocol: ear.heard()[0] ?? 'tls' };
  } catch (error) {
    failure = error as Error;
  } finally {
    clearTimeout(listening);
  }
  if (signal.aborted) throw signal.reason;

  const others = othersAfter(failure, ear);
  const tried: Protocol[] = [ear.heard()[0] ?? 'tls', ...others];
  const left = (): number => Math.max(1, budget - (performance.now() - startedAt));
  if (ear.heard().length === 0) {
    const limitMs = left() / (others.length + 1);
    const isHttp = await withTimeLimit(limitMs, signal, (own) => answersHttp(target, settings, own));
    if (isHttp) throw notFound(HTTP_ANSWER, ['tls'], failure);
  }
  for (const [index, protocol] of others.entries()) {
    const count = others.length - index;
    // The last one gets the remaining time. If it runs out, the error names the limit that was asked for.
    const limitMs = count === 1 && settings.timeoutMs > 0 ? 0 : left() / count;
    try {
      const upgrade = upgradeProtocols[protocol].create(host);
      const peer = await withTimeLimit(limitMs, signal, (own) => attempt(target, settings, { upgrade, signal: own }));
      return { peer, protocol };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      // The server speaks the protocol, and its answer is no.
      if ((error as { code?: unknown }).code === 'ERR_UPGRADE_REFUSED') throw error;
    }
  }
  const reason = `no way to TLS was found: ${failure.message.trim()}; none of these protocols worked: ${tried.join(', ')}`;
  throw notFound(`${reason} (if it is another protocol, name it)`, tried, failure);
}

/** What to try after the first connection has failed. @throws its failure, if that is the answer */
function othersAfter(failure: Error, ear: Ear): readonly UpgradeName[] {
  const { code } = failure as NodeJS.ErrnoException;
  const [first, ...alike] = ear.heard();
  if (first !== undefined) {
    // Several protocols greet like this, and it was not this one.
    const isForeign = /^ERR_(?:UPGRADE_REFUSED|UPGRADE_UNEXPECTED|CONNECTION_CLOSED)$/.test(code ?? '');
    if (alike.length > 0 && isForeign) return alike;
    throw failure;
  }
  if (ear.state() === 'listening' || code === 'ERR_TLS_NOT_FOUND') throw failure;
  if (ear.state() === 'puzzled') throw notFound('the server greets in no protocol that certpin knows', [], failure);
  if (speaksTls(failure)) throw failure;
  return names.filter((name) => {
    const { greets, create } = upgradeProtocols[name];
    return greets === undefined && create('localhost').opening !== undefined;
  });
}

interface Ear {
  /** The conversation with a server of which nothing is known. `recognized` is called when its protocol is known. */
  readonly upgrade: (recognized: () => void) => UpgradeProtocol;
  /** The protocols that greet like this. The greeting was answered in the first one. */
  readonly heard: () => readonly UpgradeName[];
  /** puzzled: the server has spoken, but not in a known protocol so far. */
  readonly state: () => 'listening' | 'puzzled' | 'answering' | 'tls';
  /** Stops listening. @returns whether the server has said nothing, so that TLS may begin */
  readonly startTls: () => boolean;
}

function createEar(host: string): Ear {
  let state: ReturnType<Ear['state']> = 'listening';
  let read: Uint8Array = new Uint8Array(0);
  let heard: readonly UpgradeName[] = [];
  let machine: UpgradeProtocol | undefined;
  return {
    heard: () => heard,
    state: () => state,
    startTls: () => {
      if (state === 'listening') state = 'tls';
      return state === 'tls';
    },
    upgrade: (recognized) => ({
      name: 'tls',
      opening: undefined,
      receive: (bytes) => {
        if (machine !== undefined) return machine.receive(bytes);
        state = 'puzzled';
        read = Buffer.concat([read, bytes]);
        heard = names.filter((name) => upgradeProtocols[name].greets?.(read));
        const [first] = heard;
        if (first !== undefined) {
          state = 'answering';
          recognized();
          machine = upgradeProtocols[first].create(host);
          return withOpening(machine.opening, machine.receive(read));
        }
        if (Buffer.from(read.subarray(0, 4)).toString('latin1') === 'SSH-')
          throw notFound('the server speaks SSH, which has no certificate; ssh-keyscan shows its key', []);
        if (read.length > MAX_GREETING_BYTES) throw notFound('the server greets in no protocol that certpin knows', []);
        return { next: 'wait' };
      },
    }),
  };
}

/** Some servers begin to speak, but expect the client to go on without waiting for it. */
function withOpening(opening: Uint8Array | undefined, step: UpgradeStep): UpgradeStep {
  if (opening === undefined) return step;
  if (step.next === 'wait') return { next: 'send', bytes: opening };
  return { ...step, bytes: Buffer.concat([opening, step.bytes ?? new Uint8Array(0)]) };
}

function notFound(reason: string, tried: readonly Protocol[], cause?: unknown): CertpinError<'ERR_TLS_NOT_FOUND'> {
  return new CertpinError('ERR_TLS_NOT_FOUND', reason, { tried }, { cause });
}
