import { decodeText } from 'certpin/probe';
import { LineCounter, parseDocument, type Scalar, visit } from 'yaml';
import { holdsScripts, readBounded, walk } from '../script-files.ts';
import { findBlocks } from './find.ts';
import { type HclText, readHcl, readTemplate } from './hcl.ts';
import { normaliseLineEnds } from './text.ts';
import { type InlineFinding, verifyInline } from './verify.ts';

/** A script, and where it is in the file. */
interface PlacedScript {
  readonly source: string;
  /** From a line of the script to one of the file, both from 1. */
  readonly lineOf: (line: number) => number;
  /** Why the deployed script is not the one that was read, and on which line. */
  readonly unknown?: { readonly line: number; readonly reason: string } | undefined;
}

/**
 * {@link verifyInline} of every script in a file. That is the file itself, or the texts in a configuration of Terraform (`.tf`), in JSON
 * and in YAML, as their own readers read them. Every `line` is one of the file.
 *
 * @param path its name says what the file is
 * @returns empty: there is no block
 * @throws Error if JSON or YAML that names certpin cannot be read: the unread part may contain a block
 */
export function verifyFile(text: string, path: string): readonly InlineFinding[] {
  return scriptsIn(normaliseLineEnds(text), path).flatMap(({ source, lineOf, unknown }) =>
    verifyInline(source).map((finding) => {
      const { difference, surroundings } = finding;
      const problems = finding.problems.map((problem) => ({ ...problem, line: lineOf(problem.line) }));
      return {
        ...{ ...finding, line: lineOf(finding.line) },
        ...(difference === undefined ? {} : { difference: { ...difference, line: lineOf(difference.line) } }),
        ...(unknown === undefined
          ? { problems }
          : {
              surroundings: surroundings === 'tampered' ? surroundings : 'unclear',
              problems: [
                ...problems,
                { state: 'unclear' as const, line: lineOf(unknown.line), reason: unknown.reason },
              ],
            }),
      };
    }),
  );
}

/** What {@link verifyFiles} says of one file. */
export interface VerifiedFile {
  readonly path: string;
  /** Whether it was found in a named folder. false: it was named itself. */
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
    return readHcl(text).map(({ line, isVerbatim, isComputed, ...read }) => ({
      ...evaluated(read, isComputed),
      lineOf: (one: number) => (isVerbatim ? line + one - 1 : line),
    }));
  // Its strings are like quoted texts in HCL (https://developer.hashicorp.com/terraform/language/syntax/json).
  if (/\.tf\.json$/i.test(path))
    return scriptsInData(text, true).map((script) => ({ ...script, ...evaluated(readTemplate(script.source), false) }));
  if (/\.(?:json|ya?ml)$/i.test(path)) return scriptsInData(text, /json$/i.test(path));
  return [{ source: text, lineOf: (line) => line }];
}

function evaluated(
  { text: source, evaluatedAt }: Pick<HclText, 'text' | 'evaluatedAt'>,
  isComputed: boolean,
): Pick<PlacedScript, 'source' | 'unknown'> {
  const line = isComputed ? 1 : evaluatedAt;
  if (line === undefined) return { source };
  const does = isComputed ? 'changes this text' : 'inserts a value here';
  return { source, unknown: { line, reason: `Terraform ${does}, so the deployed text is not known` } };
}

/** What the Deploy CLI replaces before it reads the JSON, outside of its strings. */
const JSON_MARKER = /"(?:[^"\\]|\\.)*"|(?:@@|##)[\w.-]+(?:@@|##)/gs;
/** `KEY: @@KEY@@` is not YAML before the Deploy CLI has replaced it. */
const YAML_MARKER = /(?<=[:[,-][ \t]+)@@[\w.-]+@@/g;

/** JSON is YAML too. */
function scriptsInData(text: string, isJson: boolean): readonly PlacedScript[] {
  const lines = new LineCounter();
  const masked = text.replace(isJson ? JSON_MARKER : YAML_MARKER, (found) =>
    found.startsWith('"') ? found : found.replace(/\W/g, '_'),
  );
  const document = parseDocument(masked, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined && text.includes('certpin')) {
    const { line } = lines.linePos(error.pos[0]);
    throw new Error(`it is not ${isJson ? 'JSON' : 'YAML'}, in line ${line}: its content is not known`);
  }
  const scripts: PlacedScript[] = [];
  visit(document, {
    Scalar(_, scalar: Scalar) {
      if (typeof scalar.value !== 'string' || findBlocks(scalar.value.split('\n')).length === 0) return;
      const { line: first } = lines.linePos(scalar.range?.[0] ?? 0);
      // In a block literal, each line is one of the file. The literal begins after its sign.
      const isVerbatim = scalar.type === 'BLOCK_LITERAL';
      scripts.push({ source: scalar.value, lineOf: (line) => (isVerbatim ? first + line : first) });
    },
  });
  return scripts;
}
