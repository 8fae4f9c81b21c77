import { isLate } from '../states/late.ts';
import type { OutboxCount, WatcherRow } from '../types.ts';
import { count } from './words.ts';

/** A problem of the watcher itself. Then what it says of the targets is old, or nobody gets its notices. */
export interface Trouble {
  readonly title: string;
  readonly words: string;
}

interface Known {
  readonly watcher: WatcherRow;
  readonly outbox: readonly OutboxCount[];
  readonly now: number;
}

export function troublesOf({ watcher, outbox, now }: Known): Trouble[] {
  const troubles: Trouble[] = [];
  if (watcher.networkLostAt !== null) {
    troubles.push({
      title: 'The watcher reaches nobody',
      words: 'Its own network is gone. The states below are those of before, and no target is reported as unreachable.',
    });
  } else if (isLate(watcher, now)) {
    troubles.push({
      title: 'Checks are late',
      words:
        'Not every target was checked in time. The states below may be old. Look at the log of the watcher, and at its load.',
    });
  }
  if (watcher.fileError !== null) {
    troubles.push({
      title: 'The pins file cannot be read',
      words: `The last good one stays in use. ${watcher.fileError}`,
    });
  }
  for (const { receiver, waiting, lastError } of outbox) {
    if (lastError === null || waiting === 0) continue;
    troubles.push({
      title: `Notices do not arrive: ${receiver}`,
      words: `${count(waiting, 'notice')} ${waiting === 1 ? 'waits' : 'wait'}, and none is lost. The last try: ${lastError}`,
    });
  }
  return troubles;
}
