import type { UpgradeProtocol, UpgradeStep } from '../protocols/contract.ts';
import { unexpected } from '../protocols/upgrade-errors.ts';
import { attempt } from './attempt.ts';
import { isPlaintext } from './handshake-failure.ts';
import type { Settings } from './options.ts';
import type { ServerTarget, SocketTarget } from './target.ts';
import { type Stop, withTimeLimit } from './time-limit.ts';

/** RFC 9110 §9.3.7: about the server as a whole, without an effect. It names nobody, and every HTTP server answers it, if with an error. */
const QUESTION = Buffer.from('OPTIONS * HTTP/1.0\r\n\r\n');

const BEGINNING = 'HTTP/';

export const HTTP_ANSWER = 'the server answers HTTP: plain HTTP is spoken at this port, and no TLS';

/** How long a server may say nothing in its own protocol before it is asked in HTTP too, in milliseconds; at most a quarter of the time. */
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
 * As {@link attempt}, of a server that is asked in one protocol; where it is an HTTP server, the failure says so. A server that ought to speak
 * the protocol and is silent is asked in HTTP meanwhile, for an HTTP server may wait for the end of a line as long as the client does.
 *
 * A TLS server is asked after its failure alone: some answer plain HTTP with an error in HTTP.
 */
export function attemptOrHttp(
  target: ServerTarget | SocketTarget,
  settings: Settings,
  { machine, signal }: { readonly machine: UpgradeProtocol | undefined; readonly signal: Stop },
): ReturnType<typeof attempt> {
  return withTimeLimit(0, signal, async (own, _, abort) => {
    let silence: NodeJS.Timeout | undefined;
    let isSilent = true;
    const ask = async (protocol: string): Promise<void> => {
      if (isSilent && (await answersHttp(target, settings, own)) && isSilent) abort(notOf(protocol));
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
      if (own.aborted || !isForeign(error as Error) || !(await answersHttp(target, settings, own))) throw error;
      throw machine === undefined ? inTls(error as Error) : notOf(machine.name);
    } finally {
      clearTimeout(silence);
    }
  });
}

function silenceOf({ timeoutMs }: Settings): number {
  return timeoutMs === 0 ? SILENCE_MS : Math.min(SILENCE_MS, timeoutMs / 4);
}

/** Whether the server has answered in another protocol than it was asked in. */
function isForeign(error: Error & { readonly code?: unknown }): boolean {
  return error.code === 'ERR_UPGRADE_UNEXPECTED' || isPlaintext(error);
}

function notOf(protocol: string): Error {
  return unexpected(protocol, HTTP_ANSWER);
}

/** The code is the one that the handshake has failed with. */
function inTls(error: Error & { readonly code?: unknown }): Error {
  return Object.assign(new Error(`${HTTP_ANSWER} (${error.code})`, { cause: error }), { code: error.code });
}
