import type { UpgradeProtocol, UpgradeStep } from '../protocols/contract.ts';
import { type UpgradeName, upgradeProtocols } from '../protocols/registry.ts';
import { unexpected } from '../protocols/upgrade-errors.ts';
import { attempt } from './attempt.ts';
import { isPlaintext, speaksTls } from './handshake-failure.ts';
import type { Settings } from './options.ts';
import type { ServerTarget, SocketTarget } from './target.ts';
import { type Stop, withTimeLimit } from './time-limit.ts';

/**
 * RFC 9110 §9.3.7: about the server as a whole, without an effect. It names nobody. Every HTTP server answers it, perhaps with an error.
 */
const QUESTION = Buffer.from('OPTIONS * HTTP/1.0\r\n\r\n');

const BEGINNING = 'HTTP/';

export const HTTP_ANSWER = 'the server answers HTTP: this port speaks plain HTTP, and not TLS';

const TLS_FIRST = 'the server begins with TLS at this port, without plaintext before it: ask it';

/** Said of a server that begins with TLS, if it was asked in a protocol that begins with plaintext. */
function tlsAnswer(protocol: string): string {
  const direct = directOf(protocol);
  // The service demands its own name in the handshake, and would refuse `tls://`.
  return direct?.alpn === undefined
    ? `${TLS_FIRST} with the protocol tls`
    : `${TLS_FIRST} as ${direct.schemes[0]}:// (${direct.alpn.toUpperCase().replace('/', ' ')})`;
}

function directOf(protocol: string) {
  return upgradeProtocols[protocol as UpgradeName]?.direct;
}

/** How many milliseconds a server gets that is asked in TLS as well as in its own protocol. At most a quarter of the time. */
const TLS_MS = 1_500;

/**
 * How many milliseconds a server may be silent in its own protocol before it is also asked in TLS and HTTP. At most a quarter of the time.
 */
const SILENCE_MS = 1_000;

/** Whether the port speaks plain HTTP. This takes a connection of its own. */
export async function answersHttp(
  target: ServerTarget | SocketTarget,
  settings: Settings,
  signal: Stop,
): Promise<boolean> {
  let answer = '';
  const upgrade: UpgradeProtocol = {
    name: 'http',
    opening: QUESTION,
    receive: (bytes) => {
      answer += Buffer.from(bytes).toString('latin1');
      if (answer.length < BEGINNING.length && BEGINNING.startsWith(answer)) return { next: 'wait' };
      throw new Error('it has answered');
    },
  };
  // No answer counts as no: the connection may be refused or closed.
  await attempt(target, settings, { upgrade, signal }).catch(() => undefined);
  return answer.startsWith(BEGINNING);
}

/**
 * As {@link attempt}, for a server that is asked in one protocol. If the server begins with TLS, or is an HTTP server, the failure says so.
 * A silent server is asked in the meantime: a TLS server waits for the client, and an HTTP server may wait for the end of a line.
 *
 * A TLS server is asked in HTTP only after its failure. A server that accepts TLS is not an HTTP server: some answer plain text with an
 * error in HTTP.
 */
export function attemptOrOther(
  target: ServerTarget | SocketTarget,
  settings: Settings,
  { machine, signal }: { readonly machine: UpgradeProtocol | undefined; readonly signal: Stop },
): ReturnType<typeof attempt> {
  return withTimeLimit(0, signal, async (own, _, abort) => {
    let silence: NodeJS.Timeout | undefined;
    let isSilent = true;
    const isHttp = (): Promise<boolean> => answersHttp(target, settings, own);
    const alpn = machine && directOf(machine.name)?.alpn;
    const asDirect = alpn === undefined || 'socketPath' in target ? target : { ...target, alpn };
    const isTls = (): Promise<boolean> => takesTls(asDirect, settings, own);
    const ask = async (protocol: string): Promise<void> => {
      if (!isSilent) return;
      const http = isHttp();
      const words = (await isTls()) ? tlsAnswer(protocol) : (await http) ? HTTP_ANSWER : undefined;
      if (isSilent && words !== undefined) abort(unexpected(protocol, words));
    };
    const upgrade = machine && {
      ...machine,
      // The connection is there, and the conversation begins.
      attach: (proceed: (step: UpgradeStep) => void) => {
        silence = setTimeout(() => void ask(machine.name), silenceOf(settings));
        machine.attach?.(proceed);
      },
      receive: (bytes: Uint8Array) => {
        isSilent = false;
        return machine.receive(bytes);
      },
    };
    try {
      return await attempt(target, settings, { upgrade, signal: own });
    } catch (error) {
      const failure = error as Error;
      if (own.aborted) throw failure;
      if (machine === undefined) throw isForeign(failure) && (await isHttp()) ? inTls(failure) : failure;
      // A TLS server says so with an alert, or hangs up at the first bytes.
      const isHungUp = isSilent && isClosed(failure);
      if (!isHungUp && !isForeign(failure)) throw failure;
      if (await isTls()) throw unexpected(machine.name, tlsAnswer(machine.name));
      throw !isHungUp && (await isHttp()) ? unexpected(machine.name, HTTP_ANSWER) : failure;
    } finally {
      clearTimeout(silence);
    }
  });
}

/** Whether the server begins with TLS. This takes a connection of its own. */
async function takesTls(target: ServerTarget | SocketTarget, settings: Settings, signal: Stop): Promise<boolean> {
  try {
    await withTimeLimit(silenceOf(settings, TLS_MS), signal, (own) =>
      attempt(target, settings, { upgrade: undefined, signal: own }),
    );
    return true;
  } catch (error) {
    // If nobody waits for the answer any more, the attempt was ended without a result.
    return error instanceof Error && speaksTls(error);
  }
}

function silenceOf({ timeoutMs }: Settings, mostMs = SILENCE_MS): number {
  return timeoutMs === 0 ? mostMs : Math.min(mostMs, timeoutMs / 4);
}

/** Whether the server has hung up. */
function isClosed({ code }: Error & { readonly code?: unknown }): boolean {
  return code === 'ERR_CONNECTION_CLOSED' || code === 'ECONNRESET';
}

/** Whether the server has answered in another protocol than the one of the question. */
function isForeign(error: Error & { readonly code?: unknown }): boolean {
  return error.code === 'ERR_UPGRADE_UNEXPECTED' || isPlaintext(error);
}

/** The code is that of the failed handshake. */
function inTls(error: Error & { readonly code?: unknown }): Error {
  return Object.assign(new Error(`${HTTP_ANSWER} (${error.code})`, { cause: error }), { code: error.code });
}
