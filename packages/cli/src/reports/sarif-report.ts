import { relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Judged, Status } from '@certpin/pins-file';
import { explain } from 'certpin';
import { printableLines, printJson } from '../io.ts';
import { readVersion } from '../version.ts';
import { type CreateReport, isRefusal } from './report.ts';

type Finding = Exclude<Status, 'holds'>;

/** SARIF 2.1.0 §3.49: what certpin finds. */
const rules: Record<Finding, { readonly text: string; readonly level: 'error' | 'warning' }> = {
  expiring: { text: 'The pinned certificate ends soon.', level: 'warning' },
  drift: { text: 'The presented certificate is not the pinned one.', level: 'error' },
  expired: { text: 'The pinned certificate has expired.', level: 'error' },
  refused: { text: 'The pin cannot be relied on.', level: 'error' },
  unreachable: { text: 'The certificate could not be read.', level: 'warning' },
};

/** SARIF 2.1.0 (OASIS Standard, 27 March 2020), for code scanning: a result for what does not hold, at its line of the pins file. */
export const createSarifReport: CreateReport = ({ io, document, failExpiring }) => {
  const results: object[] = [];
  const uri = toUri(document.path);
  return {
    add: (judged) => {
      if (judged.status !== 'holds') results.push(toResult(judged, judged.status, uri, failExpiring));
    },
    end: ({ isComplete }) => printJson(io, toLog(results, isComplete)),
  };
};

function toLog(results: readonly object[], isComplete: boolean): object {
  const described = Object.entries(rules).map(([id, { text, level }]) => {
    return { id, shortDescription: { text }, defaultConfiguration: { level } };
  });
  const driver = { name: 'certpin', version: readVersion(), rules: described };
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver },
        invocations: [{ executionSuccessful: isComplete }],
        columnKind: 'utf16CodeUnits',
        results,
      },
    ],
  };
}

function toResult(judged: Judged, status: Finding, uri: string, failExpiring: boolean): object {
  const { entry, reason, verdict } = judged;
  const explanation =
    verdict === undefined || verdict.ok ? '' : `\n${explain(verdict).split('\n').slice(1).join('\n')}`;
  const note = entry.note === undefined ? '' : `\n  note: ${entry.note}`;
  return {
    ruleId: status,
    ruleIndex: Object.keys(rules).indexOf(status),
    level: isRefusal(judged, failExpiring) ? 'error' : rules[status].level,
    message: { text: plain(`${entry.label}: ${reason}${explanation}${note}`) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri },
          region: { startLine: entry.line, startColumn: entry.column },
        },
      },
    ],
    // §3.27.17: the same finding of another run, wherever the line has moved.
    partialFingerprints: { 'target/v1': `${entry.label} ${entry.servername ?? ''}`.trim() },
  };
}

/** §3.11.5, §3.11.6: no brace of a certificate's name is a placeholder, and no bracket the beginning of a link. */
function plain(text: string): string {
  return printableLines(text).replace(/[{}]/g, '$&$&').replaceAll('](', '] (');
}

/** §3.4.3: relative to the current folder, which in CI is the repository's; a file outside of it has a URI of its own. */
function toUri(path: string): string {
  const found = relative('', resolve(path)).split(sep);
  return found[0] === '..' ? pathToFileURL(path).href : found.map(encodeURIComponent).join('/');
}
