// Measures the linter's precision. It prints every finding of a folder of scripts on a line of its own, grouped by rule, for a reviewer to
// read and count. `npm run lint:field -- FOLDER…`
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type LintResult, lintFiles, rules } from '../../packages/auth0/src/lint/index.ts';

const WIDTH = 140;

const folders = process.argv.slice(2);
if (folders.length === 0) {
  process.stderr.write('lint-field: name a folder of scripts: npm run lint:field -- FOLDER\n');
  process.exit(2);
}

// npm runs a script in the root of the project, whatever the folder in which the command was given.
const from = process.env.INIT_CWD ?? process.cwd();
const results: LintResult[] = [];
for await (const result of lintFiles(
  folders.map((folder) => resolve(from, folder)),
  { write: false },
))
  results.push(result);

const lines: string[] = [];
const counts: [rule: string, findings: number, files: number][] = [];
const names = [...rules.map(({ name }) => name), 'unused-disable'];
for (const name of names) {
  const found = results.flatMap(({ path, findings }) =>
    findings.filter(({ rule }) => rule === name).map((finding) => ({ path, ...finding })),
  );
  counts.push([name, found.length, new Set(found.map(({ path }) => path)).size]);
  if (found.length > 0) lines.push('', `${name}: ${found.length}`);
  for (const { path, line, column, fix, suggestion } of found) {
    const repair = fix ? ' [fix]' : suggestion ? ' [suggestion]' : '';
    lines.push(`  ${path}:${line}:${column}${repair}  ${sourceLine(path, line)}`);
  }
}

const broken = results.filter(({ error }) => error !== undefined);
if (broken.length > 0) lines.push('', `could not be read: ${broken.length}`);
for (const { path, error } of broken)
  lines.push(`  ${path}:${error?.line ?? 0}:${error?.column ?? 0}  ${error?.message}`);

lines.push(
  '',
  `${results.length} files, ${broken.length} could not be read`,
  '',
  'rule                                findings  files',
);
for (const [name, findings, files] of counts)
  lines.push(`${name.padEnd(36)}${String(findings).padStart(8)}${String(files).padStart(7)}`);
process.stdout.write(`${lines.join('\n').trimStart()}\n`);

/** The line of the source, which is somebody else's text, without what a terminal would obey. */
function sourceLine(path: string, line: number): string {
  const text = readFileSync(path, 'utf8').split('\n')[line - 1] ?? '';
  return text
    .trim()
    .replace(/[^\x20-\x7e\u00a0-\uffff]/g, ' ')
    .slice(0, WIDTH);
}
