import type { ChildMessage } from './child-messages.ts';
import type { ScriptProcess } from './process.ts';
import type { RunRecord } from './record.ts';

/** How long a child may take to report that its event loop is free. */
const ANSWER_MS = 500;

/** How long a process may take to start on a busy machine. A script's time limit begins after that. */
const START_MS = 30_000;

/** Sends the job and records what happens, until the run, the process, or the time ends. */
export function follow(
  child: ScriptProcess,
  job: object,
  run: number,
  timeLimitMs: number,
  record: RunRecord,
): Promise<void> {
  return new Promise((resolve) => {
    let timer = setTimeout(limit, child.isReady ? timeLimitMs : START_MS + timeLimitMs);
    child.hold(true);
    child.listen((message) => {
      if (message.type === 'exit') return exit();
      if (message.type === 'stopped') return stop('time-limit');
      if (message.type === 'ready') {
        clearTimeout(timer);
        timer = setTimeout(limit, timeLimitMs);
      }
      record.add(message);
      if (message.type === 'end') finish(message);
    });
    child.send({ type: 'run', run, job });

    function limit(): void {
      child.send({ type: 'stop' });
      timer = setTimeout(() => stop('blocked'), ANSWER_MS);
    }
    function stop(reason: 'time-limit' | 'blocked'): void {
      const seconds = timeLimitMs / 1000;
      const why = reason === 'blocked' ? 'the event loop was blocked' : 'the script gave no answer';
      record.outcome ??= { type: 'none', reason };
      record.find(reason, `${why} within ${seconds} s; the platform ends the container`);
      record.ended = `the time limit of ${seconds} s`;
      close();
    }
    function exit(): void {
      record.outcome ??= { type: 'none', reason: 'exited' };
      if (record.ended === null) {
        record.find('exited', 'the process ended during the run: process.exit(), or a crash');
        record.ended = 'the end of its process';
      }
      close();
    }
    function finish({ drained }: Extract<ChildMessage, { type: 'end' }>): void {
      if (record.outcome === undefined && drained) {
        record.outcome = { type: 'none', reason: 'drained' };
        record.find(
          'no-answer',
          'nothing is left to do, and the callback was not called; on the platform the login stalls',
        );
      }
      close();
    }
    function close(): void {
      clearTimeout(timer);
      child.listen(undefined);
      child.hold(false);
      resolve();
    }
  });
}
