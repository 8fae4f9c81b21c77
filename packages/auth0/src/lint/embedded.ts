import { dirname, join } from 'node:path';
import { isMap, isScalar, LineCounter, parseDocument, type Scalar, visit } from 'yaml';
import type { Finding } from './host.ts';
import { type LintResult, type LintTextOptions, lintText } from './lint-text.ts';

interface EmbeddedOptions extends LintTextOptions {
  /** Whether somebody has named this file. Then it is an error if it contains no script. Default: false. */
  readonly isNamed?: boolean;
}

/**
 * Lints the scripts in the text of a `database.json` or `tenant.yaml`. Findings have their place in that file. Nothing is fixed there. If a
 * script is given as a path, the walk through the folder lints that file.
 */
export function lintEmbedded(text: string, path: string, { isNamed = false, ...options }: EmbeddedOptions): LintResult {
  const lines = new LineCounter();
  // `KEY: @@KEY@@` is neither YAML nor JSON before the Deploy CLI has replaced it.
  const masked = text.replace(/(?<=[:[,-][ \t]+)@@[\w.-]+@@/g, (marker) => marker.replace(/\W/g, '_'));
  const document = parseDocument(masked, { lineCounter: lines });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const { line, col } = problem.linePos?.[0] ?? { line: 1, col: 1 };
    const message = `this is not valid ${/\.json$/i.test(path) ? 'JSON' : 'YAML'}`;
    return { path, findings: [], error: { message, line, column: col } };
  }
  const results: LintResult[] = [];
  let namesFiles = false;
  visit(document, {
    Pair(_, { key, value }) {
      const name = isScalar(key) ? String(key.value) : '';
      if (name === 'customScripts' && isMap(value)) {
        for (const { key: script, value: code } of value.items)
          if (isScalar(code)) look(code, `databases/_/${String(script)}.js`);
      } else if ((name === 'code' || name === 'script') && isScalar(value)) look(value, `${name}.js`);
    },
  });
  if (isNamed && results.length === 0) {
    const message = namesFiles
      ? 'this file names its scripts by their paths and holds no script: name the folder with the scripts'
      : 'this file holds no script of Auth0: name a script, for example login.js, or a folder';
    return { path, findings: [], error: { message } };
  }
  const broken = results.find(({ error }) => error !== undefined);
  return {
    path,
    findings: results.flatMap(({ findings }) => findings),
    ...(broken?.error === undefined ? {} : { error: broken.error }),
  };

  function look(scalar: Scalar, name: string): void {
    if (/[\n;{]/.test(String(scalar.value))) results.push(lintScalar(scalar, name));
    else namesFiles = true;
  }

  function lintScalar(scalar: Scalar, name: string): LintResult {
    const code = String(scalar.value);
    const place = placer(scalar, text, lines);
    const { fix: _, ...others } = options;
    const { findings, error } = lintText(code, { ...others, path: join(dirname(path), name) });
    return {
      path,
      findings: findings.map(({ fix, suggestion, ...finding }) => placed(finding, place)),
      ...(error === undefined ? {} : { error: { ...error, ...place(error.line ?? 1, error.column ?? 1) } }),
    };
  }
}

type Place = { readonly line: number; readonly column: number };

function placed(finding: Finding, place: (line: number, column: number) => Place): Finding {
  const end = place(finding.endLine, finding.endColumn);
  return { ...finding, ...place(finding.line, finding.column), endLine: end.line, endColumn: end.column };
}

/** The place in the file of a place in the decoded script. */
function placer(scalar: Scalar, text: string, lines: LineCounter): (line: number, column: number) => Place {
  const [start = 0, end = 0] = scalar.range ?? [];
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  if (scalar.type === 'BLOCK_LITERAL') {
    const first = text.indexOf('\n', start) + 1;
    const indentation = /^ */.exec(text.slice(first).replace(/^(?: *\n)*/, ''))?.[0].length ?? 0;
    return (line, column) => ({ line: at(first).line + line - 1, column: column + indentation });
  }
  if (scalar.type !== 'QUOTE_DOUBLE' || text.slice(start, end).includes('\n')) return () => at(start);
  const offsets = decodedOffsets(text, start + 1, end - 1);
  const starts = [0];
  for (const [index, character] of [...String(scalar.value).matchAll(/\n/g)].entries())
    starts[index + 1] = character.index + 1;
  return (line, column) => at(offsets[(starts[line - 1] ?? 0) + column - 1] ?? end);
}

/** For every character of the decoded text, its offset in the JSON string. */
function decodedOffsets(text: string, start: number, end: number): number[] {
  const offsets: number[] = [];
  for (let at = start; at < end; ) {
    offsets.push(at);
    at += text[at] !== '\\' ? 1 : text[at + 1] === 'u' ? 6 : 2;
  }
  return offsets;
}
