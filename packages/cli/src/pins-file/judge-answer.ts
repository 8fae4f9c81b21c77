import {
  type Entry,
  type Judged,
  type JudgedAddress,
  type Answer as JudgedAnswer,
  judge,
  judgeAddresses,
  type Span,
} from '@certpin/pins-file';
import type { Answer } from '../scan/answer.ts';

/** As `judge`, for answers of the command line: a file may hold only a key. */
export function judgeAnswer(entry: Entry, answer: Answer, now: Date, near: Span = { milliseconds: 0 }): Judged {
  if (answer.addresses !== undefined) {
    return judgeAddresses(
      answer.addresses.map(({ address, answer: one }): JudgedAddress => {
        return { ...judgeAnswer(entry, one, now, near), address };
      }),
    );
  }
  return judge(entry, toJudged(answer), near, now);
}

function toJudged({ found, key, failure, report }: Answer): JudgedAnswer {
  if (failure !== undefined) return { protocol: report().protocol, failure };
  if (key === undefined) return { protocol: found.protocol, peer: found };
  const message = `it holds a ${key.source} and no certificate`;
  return { protocol: 'file', failure: { code: 'ERR_FILE_UNREADABLE', message } };
}
