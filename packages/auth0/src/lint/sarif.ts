import { isAbsolute, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UNUSED } from './directives.ts';
import type { Finding } from './host.ts';
import type { LintResult } from './lint-text.ts';
import { rules } from './rules.ts';

/**
 * The results as SARIF 2.1.0, which code hosts and editors read: one run, a `result` for each finding, a notification for each file that
 * could not be read. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 *
 * @param version of the program that is named as the tool
 */
export function toSarif(results: readonly LintResult[], version: string): object {
  const unreadable = results.filter(({ error }) => error !== undefined);
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'certpin', version, rules: descriptors } },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: unreadable.length === 0,
            toolExecutionNotifications: unreadable.map(({ path, error }) => ({
              level: 'error',
              message: { text: plain(error?.message ?? '') },
              locations: [
                location(
                  path,
                  error?.line === undefined ? undefined : { startLine: error.line, startColumn: error.column },
                ),
              ],
            })),
          },
        ],
        results: results.flatMap(({ path, findings }) => findings.map((finding) => toResult(path, finding))),
      },
    ],
  };
}

const descriptors = [
  ...rules.map(({ name, severity, meta }) => ({
    id: name,
    shortDescription: { text: meta.docs.description },
    help: { text: meta.docs.url },
    defaultConfiguration: { level: severity },
  })),
  {
    id: UNUSED,
    shortDescription: { text: 'A comment that accepts a finding which is not there' },
    help: { text: `docs/lint/${UNUSED}.md` },
    defaultConfiguration: { level: 'warning' },
  },
];

function toResult(path: string, { rule, severity, message, instead, ...place }: Finding): object {
  return {
    ruleId: rule,
    ruleIndex: descriptors.findIndex(({ id }) => id === rule),
    level: severity,
    message: { text: plain(`${message} ${instead}`) },
    locations: [
      location(path, {
        startLine: place.line,
        startColumn: place.column,
        endLine: place.endLine,
        endColumn: place.endColumn,
      }),
    ],
  };
}

/** SARIF §3.11.5, §3.11.6: no brace of a script is a placeholder, and no bracket the beginning of a link. */
function plain(text: string): string {
  return text.replace(/[{}]/g, '$&$&').replaceAll('](', '] (');
}

function location(path: string, region: object | undefined): object {
  return { physicalLocation: { artifactLocation: { uri: toUri(path) }, ...(region === undefined ? {} : { region }) } };
}

/** RFC 3986: a relative path stays relative. */
function toUri(path: string): string {
  if (isAbsolute(path)) return pathToFileURL(path).href;
  return path.split(sep).map(encodeURIComponent).join('/');
}
