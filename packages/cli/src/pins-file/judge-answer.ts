import {
  type Entry,
  type Judged,
  type JudgedAddress,
  type Answer as JudgedAnswer,
  judge,
  judgeAddresses,
  type Span,
} from '@certpin/pins-file';
import { plainWords } from '../failure.ts';
import type { Answer } from '../scan/answer.ts';

/** As `judge`, of what the command line has asked: a file may hold a key alone, and why a question failed is said in plain words. */
export function judgeAnswer(entry: Entry, answer: Answer, now: Date, near: Span = { milliseconds: 0 }): Judged {
  if (answer.addresses !== undefined) {
    return judgeAddresses(
      answer.addresses.map(({ address, answer: one }): JudgedAddress => {
        return { ...judgeAnswer(entry, one, now, near), address };
      }),
    );
  }
  const judged = judge(entry, toJudged(answer), near, now);
  return judged.failure === undefined ? judged : { ...judged, reason: plainWords(judged.failure, entry.label) };
}

function toJudged({ found, key, failure, report }: Answer): JudgedAnswer {
  if (failure !== undefined) return { protocol: report().protocol, failure };
  if (key === undefined) return { protocol: found.protocol, peer: found };
  const message = `it holds a ${key.source} and no certificate`;
  return { protocol: 'file', failure: { code: 'ERR_FILE_UNREADABLE', message } };
}
