import { type Entry, type Judged, type Answer as JudgedAnswer, judge } from '@certpin/pins-file';
import type { Answer } from '../ask.ts';
import { plainWords } from '../failure.ts';

/** As `judge`, of what the command line has asked: a file may hold a key alone, and why a question failed is said in plain words. */
export function judgeAnswer(entry: Entry, answer: Answer, expiresWithinMs: number, now: Date): Judged {
  const judged = judge(entry, toJudged(answer), expiresWithinMs, now);
  return judged.failure === undefined ? judged : { ...judged, reason: plainWords(judged.failure) };
}

function toJudged({ report, certificates }: Answer): JudgedAnswer {
  if (!report.ok) return { protocol: report.protocol, failure: report.error };
  if (report.certificate === null) {
    const message = `it holds a ${report.publicKey.source} and no certificate`;
    return { protocol: 'file', failure: { code: 'ERR_FILE_UNREADABLE', message } };
  }
  const { protocol, host, port, tlsVersion } = report;
  const peer = {
    certificates,
    host: host ?? undefined,
    port: port ?? undefined,
    tlsVersion: protocol === 'file' ? undefined : tlsVersion,
  };
  return { protocol, peer };
}
