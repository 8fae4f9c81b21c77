import { decodeText } from 'certpin/probe';
import { LineCounter, parseDocument, type Scalar, visit } from 'yaml';
import { holdsScripts, readBounded, walk } from '../script-files.ts';
import { findBlocks } from './find.ts';
import { readHcl } from './hcl.ts';
import { normaliseLineEnds } from './text.ts';
import { type InlineFinding, verifyInline } from './verify.ts';

/** A script, and where it stands in the file. */
interface PlacedScript {
  readonly source: string;
  /** From a line of the script to one of the file, both from 1. */
  readonly lineOf: (line: number) => number;
  /** The line of the script in which something is put when it is deployed. */
  readonly evaluatedAt?: number | undefined;
}

/**
 * {@link verifyInline} of every script that a file holds: the file itself, or the texts in a configuration of Terraform (`.tf`), in JSON
 * and in YAML, as their own readers read them. Every `line` is one of the file.
 *
 * @param path whose name says what the file is
 * @returns empty where there is no block
 */
export function verifyFile(text: string, path: string): readonly InlineFinding[] {
  return scriptsIn(normaliseLineEnds(text), path).flatMap(({ source, lineOf, evaluatedAt }) =>
    verifyInline(source).map((finding) => {
      const { difference, surroundings } = finding;
      const problems = finding.problems.map((problem) => ({ ...problem, line: lineOf(problem.line) }));
      const reason = 'Terraform puts a value in here, and what it is cannot be known';
      return {
        ...{ ...finding, line: lineOf(finding.line) },
        ...(difference === undefined ? {} : { difference: { ...difference, line: lineOf(difference.line) } }),
        ...(evaluatedAt === undefined
          ? { problems }
          : {
              surroundings: surroundings === 'tampered' ? surroundings : 'unclear',
              problems: [...problems, { state: 'unclear' as const, line: lineOf(evaluatedAt), reason }],
            }),
      };
    }),
  );
}

/** What {@link verifyFiles} says of one file. */
export interface VerifiedFile {
  readonly path: string;
  /** Whether it is a file of a folder that was named, and not itself what was named. */
  readonly isOfFolder: boolean;
  readonly findings: readonly InlineFinding[];
  /** Why it could not be read. */
  readonly error?: unknown;
}

/**
 * {@link verifyFile} of files, and of what is in folders: JavaScript and TypeScript, `database.json` and `tenant.yaml` of the Deploy CLI,
 * and files of Terraform.
 */
export async function* verifyFiles(paths: readonly string[]): AsyncGenerator<VerifiedFile, void, void> {
  const isWanted = (name: string): boolean => holdsScripts(name) || name.endsWith('.tf');
  for (const given of paths) {
    for await (const { path, error } of walk(given, isWanted)) {
      const file = { path, isOfFolder: path !== given };
      try {
        if (error !== undefined) throw error;
        yield { ...file, findings: verifyFile(decodeText(await readBounded(path)), path) };
      } catch (problem) {
        yield { ...file, findings: [], error: problem };
      }
    }
  }
}

function scriptsIn(text: string, path: string): readonly PlacedScript[] {
  if (/\.tf$/i.test(path))
    return readHcl(text).map(({ text: source, line, isVerbatim, evaluatedAt }) => ({
      ...{ source, evaluatedAt },
      lineOf: (one: number) => (isVerbatim ? line + one - 1 : line),
    }));
  if (/\.(?:json|ya?ml)$/i.test(path)) return scriptsInData(text);
  return [{ source: text, lineOf: (line) => line }];
}

/** JSON is YAML too. What cannot be read holds no script that anybody would deploy. */
function scriptsInData(text: string): readonly PlacedScript[] {
  const lines = new LineCounter();
  // `KEY: @@KEY@@` is neither before the Deploy CLI has replaced it.
  const masked = text.replace(/(?<=[:[,-][ \t]+)@@[\w.-]+@@/g, (marker) => marker.replace(/\W/g, '_'));
  const document = parseDocument(masked, { lineCounter: lines });
  const scripts: PlacedScript[] = [];
  visit(document, {
    Scalar(_, scalar: Scalar) {
      if (typeof scalar.value !== 'string' || findBlocks(scalar.value.split('\n')).length === 0) return;
      const { line: first } = lines.linePos(scalar.range?.[0] ?? 0);
      // In a block literal each line is one of the file; it begins behind its sign.
      const isVerbatim = scalar.type === 'BLOCK_LITERAL';
      scripts.push({ source: scalar.value, lineOf: (line) => (isVerbatim ? first + line : first) });
    },
  });
  return scripts;
}
