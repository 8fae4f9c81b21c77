import type { LintResult } from '@certpin/auth0/lint';
import { type Command, Option } from 'commander';
import { UsageError } from '../failure.ts';
import {
  type ExitCode,
  type Io,
  printError,
  printHint,
  printJson,
  printSummary,
  printText,
  stdoutColors,
} from '../io.ts';
import { renderResult, renderSummary } from '../lint/render.ts';
import { readVersion } from '../version.ts';

interface LintFlags {
  readonly rule?: string[];
  readonly explain?: string;
  readonly fix?: true;
  readonly json?: true;
  readonly format?: 'text' | 'json' | 'sarif';
  readonly as?: 'database-script' | 'action' | 'rule' | 'hook' | 'other';
}

const description = `Find mistakes in scripts that make TLS, or a pin, worthless: verification that is switched off, checks
that are never called, and connections without TLS. It also finds passwords in the source, and errors
that are thrown away.

A path is a file or a folder: JavaScript, TypeScript, and the files of Auth0's Deploy CLI with their
markers ##KEY## and @@KEY@@. It skips node_modules, dist and .git.

A comment accepts a finding: // certpin-lint-disable-next-line RULE -- why

--explain prints what a rule finds, why, what to write instead, and what it does not check.`;

const examples = `
Examples:
  certpin lint login.js                       one script
  certpin lint tenant/                        a folder of the Deploy CLI
  certpin lint src --rule require-tls --rule no-reject-unauthorized-false
  certpin lint --fix login.js                 repair what is certain to be safe
  certpin lint --explain require-tls          the page of the rule
  certpin lint --format sarif src > certpin.sarif

Exit code: 0 nothing was found, 1 something was, 2 a file could not be read.`;

export function defineLint(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];
  program
    .command('lint')
    .summary('find what makes TLS worthless in scripts')
    .description(description)
    .argument('[path...]', 'file or folder')
    .option('--rule <name>', 'run this rule; can be repeated (default: all)', collect)
    .option('--fix', 'repair what is shown to be safe; print the rest as suggestions')
    .addOption(
      new Option('--as <kind>', 'what the scripts are in Auth0, if folder and function do not tell').choices([
        'database-script',
        'action',
        'rule',
        'hook',
        'other',
      ]),
    )
    .addOption(
      new Option('--explain <rule>', 'print the page of a rule; no file is read').conflicts([
        ...['rule', 'fix', 'as', 'json', 'format'],
      ]),
    )
    .addOption(new Option('--json', 'print one JSON object per file, one a line').conflicts('format'))
    .addOption(new Option('--format <form>', 'print it in another form').choices(['text', 'json', 'sarif']))
    .usage('[options] <path...>')
    .addHelpText('after', examples)
    .action(async (paths: string[], flags: LintFlags) => {
      const { explain: rule } = flags;
      finish(rule === undefined ? await lint(paths, flags, io) : await explain(rule, paths, io));
    });
}

/** Prints the page of a rule from the package. */
async function explain(rule: string, paths: readonly string[], io: Io): Promise<ExitCode> {
  if (paths.length > 0) throw new UsageError('--explain reads no file: leave the paths out', 'lint');
  const { readPage, rules, UNUSED } = await import('@certpin/auth0/lint');
  const names = [...rules.map(({ name }) => name), UNUSED];
  if (!names.includes(rule)) throw new UsageError(`--explain takes one of ${names.join(', ')}`, 'lint');
  printText(io, await readPage(rule));
  await io.stdoutReady();
  return 0;
}

async function lint(paths: readonly string[], { rule, fix, json, format, as }: LintFlags, io: Io): Promise<ExitCode> {
  if (paths.length === 0) throw new UsageError('give a file or a folder', 'lint');
  const { lintFiles, rules, toSarif } = await import('@certpin/auth0/lint');
  const unknown = rule?.some((name) => !rules.some((known) => known.name === name));
  if (unknown) throw new UsageError(`--rule takes one of ${rules.map(({ name }) => name).join(', ')}`, 'lint');
  const form = json ? 'json' : (format ?? 'text');
  const colors = stdoutColors(io);
  const options = {
    fix: fix === true,
    ...(rule === undefined ? {} : { rules: rule }),
    ...(as === undefined ? {} : { script: as }),
  };
  const results: LintResult[] = [];
  for await (const result of lintFiles(paths, options)) {
    if (io.stdoutClosed()) break;
    results.push(result);
    if (form === 'json') printJson(io, withoutSource(result));
    const text = form === 'text' ? renderResult(result, colors) : undefined;
    if (text !== undefined) printText(io, `${text}\n`);
    await io.stdoutReady();
  }
  if (form === 'sarif') printJson(io, toSarif(results, readVersion()));
  if (form === 'text') {
    printSummary(io, renderSummary(results));
    const [first] = results.flatMap(({ findings }) => findings);
    if (first !== undefined) printHint(io, `certpin lint --explain ${first.rule}`);
  }
  if (results.length === 0) printError(io, 'these folders contain no JavaScript and no TypeScript');
  if (results.length === 0 || results.some(({ error }) => error !== undefined)) return 2;
  return results.some(({ findings }) => findings.length > 0) ? 1 : 0;
}

function withoutSource({ output, ...result }: LintResult): object {
  return { ...result, fixed: output !== undefined };
}
