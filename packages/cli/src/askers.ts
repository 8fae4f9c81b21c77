import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { Certificate } from 'certpin';
import type { Inspected, ProbeOptions, ServerTarget, SocketTarget } from 'certpin/probe';

/** A server that is asked in a way of its own. */
interface ServerQuestion extends Pick<ProbeOptions, 'protocol' | 'servername'> {
  readonly target: ServerTarget | SocketTarget;
}

/** To a thread, several at a time. */
export interface AskerQuestion extends ServerQuestion {
  readonly id: number;
}

/** From a thread, several at a time. Certificates are DER, the server's own first; of an error there is what a report shows. */
export type AskerAnswer = { readonly id: number } & (
  | { readonly found: Omit<Inspected, 'certificates'>; readonly certificates: readonly Uint8Array[] }
  | { readonly error: { readonly code: unknown; readonly message: string } }
);

/** Threads that ask servers, as `inspect` does. */
export interface Askers {
  /**
   * @returns undefined where the thread has ended without an answer: then it is for this one to ask
   * @throws what `inspect` throws, as code and message
   */
  readonly ask: (question: ServerQuestion) => Promise<Inspected | undefined>;
  /** Drops what is under way. */
  readonly close: () => void;
}

/** @param options those of every question, without a signal */
export function startAskers(count: number, options: ProbeOptions): Askers {
  keepYoungGenerationSmall();
  const threads = Array.from({ length: count }, () => new AskerThread(options));
  let turn = 0;
  return {
    ask: (question) => (threads[turn++ % count] as AskerThread).ask(question),
    close: () => {
      for (const thread of threads) thread.close();
    },
  };
}

interface Waiting {
  readonly resolve: (found: Inspected | undefined) => void;
  readonly reject: (error: Error) => void;
}

class AskerThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #questions: AskerQuestion[] = [];
  #asked = 0;
  #hasEnded = false;

  constructor(options: ProbeOptions) {
    // Beside this file in the bundle. Flags of this process are its own.
    this.#worker = new Worker(new URL('asker.cjs', import.meta.url), { workerData: options, execArgv: [] });
    this.#worker.on('message', (answers: readonly AskerAnswer[]) => {
      for (const answer of answers) this.#settle(answer);
    });
    this.#worker.once('online', keepYoungGenerationSmall);
    this.#worker.on('error', () => this.#end());
    this.#worker.on('exit', () => this.#end());
  }

  ask(question: ServerQuestion): Promise<Inspected | undefined> {
    if (this.#hasEnded) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const id = this.#asked++;
      this.#waiting.set(id, { resolve, reject });
      // What is asked at the same time goes in one message.
      if (this.#questions.push({ id, ...question }) === 1) setImmediate(() => this.#send());
    });
  }

  close(): void {
    void this.#worker.terminate();
  }

  #send(): void {
    this.#worker.postMessage(this.#questions);
    this.#questions = [];
  }

  #settle({ id, ...answer }: AskerAnswer): void {
    const { resolve, reject } = this.#waiting.get(id) as Waiting;
    this.#waiting.delete(id);
    if ('error' in answer) reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
    else resolve({ ...answer.found, certificates: answer.certificates.map((der) => new Certificate(der)) });
  }

  #end(): void {
    this.#hasEnded = true;
    for (const { resolve } of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }
}

/**
 * A scan makes much and forgets it at once, and V8 lets the space for that grow to 30 MB a thread. Here it stays as it begins, which takes no
 * more time. V8 knows the flag (heap/new-spaces.cc), and sets it back where it makes another heap: so it is said again when a thread has
 * started. Where it is not known nothing happens.
 */
function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
