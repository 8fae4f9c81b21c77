import { type Judged, outcomeOf } from '@certpin/pins-file';
import { printableLines, printText } from '../io.ts';
import { explainRefusal } from './explanation.ts';
import { type CreateReport, isRefusal } from './report.ts';

/**
 * The XML that Jenkins, GitLab, Azure Pipelines and others accept as test results, with a test case for each target. A pin that does not
 * hold is a `failure`. A question that could not be asked is an `error`. A target that was not asked is `skipped`.
 */
export const createJunitReport: CreateReport = ({ io, document, asked, failExpiring }) => {
  const judged = new Map<number, Judged>();
  const times = new Map<number, number>();
  return {
    add: (one, seconds) => {
      judged.set(one.entry.index, one);
      times.set(one.entry.index, seconds);
    },
    end: () => {
      const all = [...judged.values()];
      const counts = attributes({
        tests: asked.length,
        failures: all.filter((one) => isRefusal(one, failExpiring)).length,
        errors: all.filter(({ status }) => outcomeOf[status] === 'unasked').length,
        skipped: asked.length - all.length,
        time: inSeconds([...times.values()].reduce((sum, one) => sum + one, 0)),
      });
      const cases = asked.map((entry) => {
        const about = attributes({
          classname: document.path,
          name: entry.label,
          file: document.path,
          line: entry.line,
          time: inSeconds(times.get(entry.index) ?? 0),
        });
        return `    <testcase${about}>${renderOutcome(judged.get(entry.index), failExpiring)}</testcase>\n`;
      });
      printText(
        io,
        `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="certpin check"${counts}>
  <testsuite${attributes({ name: document.path })}${counts}>
${cases.join('')}  </testsuite>
</testsuites>`,
      );
    },
  };
};

function renderOutcome(judged: Judged | undefined, failExpiring: boolean): string {
  if (judged === undefined) return `<skipped${attributes({ message: 'it was not asked' })}/>`;
  const { status, reason, entry } = judged;
  const note = entry.note === undefined ? '' : `\n  note: ${entry.note}`;
  const about = attributes({ type: status, message: reason });
  if (outcomeOf[status] === 'unasked') return `<error${about}>${escaped(`${reason}${note}`)}</error>`;
  if (!isRefusal(judged, failExpiring)) return `<system-out>${escaped(`${status}: ${reason}`)}</system-out>`;
  const text = explainRefusal(judged) ?? reason;
  return `<failure${about}>${escaped(`${text}${note}`)}</failure>`;
}

function inSeconds(seconds: number): string {
  return seconds.toFixed(3);
}

function attributes(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value)).replace(/[\t\n\r]/g, ' ')}"`)
    .join('');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** XML 1.0 §2.2: most control characters, and halves of a surrogate pair, are not allowed in a document, not even as references. */
function escaped(text: string): string {
  return printableLines(text)
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
