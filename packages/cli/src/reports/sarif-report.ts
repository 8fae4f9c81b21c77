import { type SarifResult, type SarifRule, writeSarif } from '@certpin/auth0/sarif';
import type { Judged, Status } from '@certpin/pins-file';
import { printableLines, printJson } from '../io.ts';
import { readVersion } from '../version.ts';
import { explainRefusal } from './explanation.ts';
import { type CreateReport, isRefusal } from './report.ts';

type Finding = Exclude<Status, 'holds'>;

const rules: Record<Finding, Omit<SarifRule, 'id'>> = {
  mixed: { text: 'The addresses of the server present different pinned certificates.', level: 'warning' },
  'ends-soon': { text: 'The pinned certificate ends soon.', level: 'warning' },
  drift: { text: 'The presented certificate is not the pinned one.', level: 'error' },
  expired: { text: 'The pinned certificate has expired.', level: 'error' },
  'not-yet-valid': { text: 'The validity of the pinned certificate has not begun.', level: 'error' },
  revoked: { text: 'The server presents a certificate whose pin is revoked.', level: 'error' },
  'no-such-name': { text: 'The name of the server cannot be found.', level: 'warning' },
  refused: { text: 'The pin cannot be relied on.', level: 'error' },
  unreachable: { text: 'The certificate could not be read.', level: 'warning' },
};

/** SARIF 2.1.0, for code scanning. There is a result for each target that does not hold, at its line of the pins file. */
export const createSarifReport: CreateReport = ({ io, document, failExpiring }) => {
  const results: SarifResult[] = [];
  return {
    add: (judged) => {
      if (judged.status !== 'holds') results.push(toResult(judged, judged.status, document.path, failExpiring));
    },
    end: ({ isComplete }) => {
      const described = Object.entries(rules).map(([id, rule]) => ({ id, ...rule }));
      printJson(io, writeSarif({ version: readVersion(), rules: described, results, isComplete }));
    },
  };
};

function toResult(judged: Judged, status: Finding, path: string, failExpiring: boolean): SarifResult {
  const { entry, reason } = judged;
  const details = explainRefusal(judged)?.split('\n').slice(1) ?? [];
  const explanation = details.map((line) => `\n${line}`).join('');
  const note = entry.note === undefined ? '' : `\n  note: ${entry.note}`;
  return {
    ruleId: status,
    level: isRefusal(judged, failExpiring) ? 'error' : rules[status].level,
    message: printableLines(`${entry.label}: ${reason}${explanation}${note}`),
    place: { path, startLine: entry.line, startColumn: entry.column },
    partialFingerprints: { 'target/v1': `${entry.label} ${entry.servername ?? ''}`.trim() },
  };
}
