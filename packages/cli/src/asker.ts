// A thread that asks servers (askers.ts).
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Certificate } from 'certpin';
import { inspect, type ProbeOptions } from 'certpin/probe';
import type { AskerAnswer, AskerQuestion } from './askers.ts';

const port = parentPort as MessagePort;
const options = workerData as ProbeOptions;
let answers: AskerAnswer[] = [];

port.on('message', (questions: readonly AskerQuestion[]) => {
  for (const question of questions) void answer(question);
});

async function answer({ id, target, ...own }: AskerQuestion): Promise<void> {
  try {
    const { certificates, ...found } = await inspect(target, { ...options, ...own });
    send({ id, found, certificates: certificates.map((certificate) => (certificate as Certificate).der) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    send({ id, error: { code, message: String(message ?? error) } });
  }
}

/** What is there at the same time goes in one message. */
function send(one: AskerAnswer): void {
  if (answers.push(one) > 1) return;
  setImmediate(() => {
    port.postMessage(answers);
    answers = [];
  });
}
