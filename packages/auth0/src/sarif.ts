import { relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/** SARIF 2.1.0 §3.49: what a tool can find. */
export interface SarifRule {
  readonly id: string;
  readonly text: string;
  readonly help?: string;
  readonly level: 'error' | 'warning';
}

/** Lines and columns count from 1, columns in UTF-16 code units. */
export interface SarifPlace {
  readonly path: string;
  readonly startLine?: number | undefined;
  readonly startColumn?: number | undefined;
  readonly endLine?: number | undefined;
  readonly endColumn?: number | undefined;
}

/** §3.27: what a tool has found. */
export interface SarifResult {
  readonly ruleId: string;
  readonly level: 'error' | 'warning';
  readonly message: string;
  readonly place: SarifPlace;
  /** §3.27.17: equal for the same finding in another run, even if its line has moved. */
  readonly partialFingerprints?: Readonly<Record<string, string>>;
}

export interface SarifRun {
  /** Of the program that is named as the tool. */
  readonly version: string;
  readonly rules: readonly SarifRule[];
  readonly results: readonly SarifResult[];
  /** Whether everything was checked. */
  readonly isComplete: boolean;
  /** §3.20.21: what could not be checked. */
  readonly unreadable?: readonly { readonly message: string; readonly place: SarifPlace }[];
}

/** One run as SARIF 2.1.0 (OASIS Standard, 27 March 2020), which code hosts and editors read. */
export function writeSarif({ version, rules, results, isComplete, unreadable }: SarifRun): object {
  const described = rules.map(({ id, text, help, level }) => ({
    ...{ id, shortDescription: { text } },
    ...(help === undefined ? {} : { help: { text: help } }),
    defaultConfiguration: { level },
  }));
  const told = unreadable?.map(({ message, place }) => ({
    ...{ level: 'error', message: { text: plain(message) }, locations: [toLocation(place)] },
  }));
  const invocation = {
    executionSuccessful: isComplete,
    ...(told === undefined ? {} : { toolExecutionNotifications: told }),
  };
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'certpin', version, rules: described } },
        invocations: [invocation],
        columnKind: 'utf16CodeUnits',
        results: results.map(({ ruleId, level, message, place, ...rest }) => ({
          ...{ ruleId, ruleIndex: rules.findIndex(({ id }) => id === ruleId), level },
          ...{ message: { text: plain(message) }, locations: [toLocation(place)], ...rest },
        })),
      },
    ],
  };
}

/** §3.11.5, §3.11.6: no brace of a text becomes a placeholder, and no bracket the beginning of a link. */
function plain(text: string): string {
  return text.replace(/[{}]/g, '$&$&').replaceAll('](', '] (');
}

function toLocation({ path, ...region }: SarifPlace): object {
  const artifactLocation = { uri: toUri(path) };
  return { physicalLocation: region.startLine === undefined ? { artifactLocation } : { artifactLocation, region } };
}

/** §3.4.3: relative to the current folder, which in CI is the repository. A file outside of it gets a URI of its own. */
function toUri(path: string): string {
  const found = relative('', resolve(path)).split(sep);
  return found[0] === '..' ? pathToFileURL(path).href : found.map(encodeURIComponent).join('/');
}
