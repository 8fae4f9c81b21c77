import type { UpgradeProtocol, UpgradeStep } from '../protocols/contract.ts';
import { type UpgradeName, upgradeProtocols } from '../protocols/registry.ts';
import { unexpected } from '../protocols/upgrade-errors.ts';
import { attempt } from './attempt.ts';
import { isPlaintext, speaksTls } from './handshake-failure.ts';
import type { Settings } from './options.ts';
import type { ServerTarget, SocketTarget } from './target.ts';
import { type Stop, withTimeLimit } from './time-limit.ts';

/** RFC 9110 §9.3.7: about the server as a whole, without an effect. It names nobody, and every HTTP server answers it, if with an error. */
const QUESTION = Buffer.from('OPTIONS * HTTP/1.0\r\n\r\n');

const BEGINNING = 'HTTP/';

export const HTTP_ANSWER = 'the server answers HTTP: plain HTTP is spoken at this port, and no TLS';

const TLS_FIRST = 'the server begins with TLS at this port, without a word before it: ask it';

/** What is said of a server that begins with TLS, where it was asked in a protocol that begins otherwise. */
function tlsAnswer(protocol: string): string {
  const direct = directOf(protocol);
  // Where the service wants to hear its own name, `tls://` would be turned away.
  return direct?.alpn === undefined
    ? `${TLS_FIRST} with the protocol tls`
    : `${TLS_FIRST} as ${direct.schemes[0]}:// (${direct.alpn.toUpperCase().replace('/', ' ')})`;
}

function directOf(protocol: string) {
  return upgradeProtocols[protocol as UpgradeName]?.direct;
}

/** How long a server that is asked in TLS beside its own protocol may take, in milliseconds; at most a quarter of the time. */
const TLS_MS = 1_500;

/** How long a server may say nothing in its own protocol before it is asked in TLS and HTTP too, in milliseconds; at most a quarter of the time. */
const SILENCE_MS = 1_000;

/** Whether plain HTTP is spoken there, which is found out on a connection of its own. */
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
  // No answer is an answer too: the connection may be refused, or closed.
  await attempt(target, settings, { upgrade, signal }).catch(() => undefined);
  return answer.startsWith(BEGINNING);
}

/**
 * As {@link attempt}, of a server that is asked in one protocol; where it begins with TLS, or is an HTTP server, the failure says so. A server
 * that ought to speak the protocol and is silent is asked meanwhile: a TLS server waits for the client, and an HTTP server may wait for
 * the end of a line, as long as the client does.
 *
 * A TLS server is asked in HTTP after its failure alone, and what takes TLS is no HTTP server: some answer plain text with an error in HTTP.
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
      // A TLS server tells so with an alert, or hangs up at the first bytes.
      const isHungUp = isSilent && isClosed(failure);
      if (!isHungUp && !isForeign(failure)) throw failure;
      if (await isTls()) throw unexpected(machine.name, tlsAnswer(machine.name));
      throw !isHungUp && (await isHttp()) ? unexpected(machine.name, HTTP_ANSWER) : failure;
    } finally {
      clearTimeout(silence);
    }
  });
}

/** Whether the server begins with TLS, which is found out on a connection of its own. */
async function takesTls(target: ServerTarget | SocketTarget, settings: Settings, signal: Stop): Promise<boolean> {
  try {
    await withTimeLimit(silenceOf(settings, TLS_MS), signal, (own) =>
      attempt(target, settings, { upgrade: undefined, signal: own }),
    );
    return true;
  } catch (error) {
    // Where nobody waits any more it was ended without a word.
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

/** Whether the server has answered in another protocol than it was asked in. */
function isForeign(error: Error & { readonly code?: unknown }): boolean {
  return error.code === 'ERR_UPGRADE_UNEXPECTED' || isPlaintext(error);
}

/** The code is the one that the handshake has failed with. */
function inTls(error: Error & { readonly code?: unknown }): Error {
  return Object.assign(new Error(`${HTTP_ANSWER} (${error.code})`, { cause: error }), { code: error.code });
}
