// How hard a page is to read: sentences of more than 28 words, and its grade (Flesch-Kincaid: years of school in the United States).
// Help texts (as the man pages have them), messages, docstrings and comments are checked for long sentences too.
//
//   npm run plain-words                     every page with its grade, and all long sentences
//   npm run plain-words -- docs/reference/pg.md packages/certpin/src/errors.ts …     these files
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fleschKincaid } from 'flesch-kincaid';
import type { Nodes, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmTable } from 'micromark-extension-gfm-table';
import { syllable } from 'syllable';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A sentence of more words is cut in two. */
export const MOST_WORDS = 28;

export interface Sentence {
  /** The line on which its paragraph begins. */
  readonly line: number;
  readonly text: string;
  readonly words: number;
}

export interface Reading {
  readonly words: number;
  /** Flesch-Kincaid of the paragraphs; headings and tables have few whole sentences. Not a number for a page without a paragraph. */
  readonly grade: number;
  /** Those of headings and tables too. */
  readonly sentences: readonly Sentence[];
}

/** Every man page: they are made from the help texts, and a test compares the two. */
export function manPagesOf(): string[] {
  const folder = join('packages', 'cli', 'man');
  return readdirSync(join(root, folder))
    .map((name) => join(folder, name))
    .sort();
}

/** Every source, without tests. Their comments, docstrings and messages are for people too. */
export function sourcesOf(): string[] {
  const folders = ['packages', 'dev'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(parent, name, 'src')),
  );
  return [...folders, 'dev/tools']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
    )
    .filter((path) => /\.[cm]?[jt]s$/.test(path) && !/node_modules\/|\/test\/|\.test\.|sandboxes\//.test(path))
    .sort();
}

/** Every page to which a reader can be sent, from the root of the repository. Changelogs and licences do not count. */
export function pagesOf(): string[] {
  const found = ['docs', 'examples', ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)].flatMap(
    (folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  );
  const top = readdirSync(root).filter((name) => name.endsWith('.md'));
  return [...top, ...found]
    .filter(
      (path) => path.endsWith('.md') && !/(?:^|\/)(?:node_modules\/|dist\/|CHANGELOG\.md$)|cli\/guides\//.test(path),
    )
    .sort();
}

/** Reads the sentences of a page in Markdown. Blocks of code do not count. A piece of code in a sentence is one word. */
export function readPage(markdown: string): Reading {
  const tree = fromMarkdown(markdown, { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] });
  const blocks = blocksOf(tree).map(({ text, ...block }) => ({ ...block, sentences: sentencesOf(text) }));
  const sentences = blocks.flatMap(({ line, sentences }) => sentences.map((one) => ({ line, ...one })));
  const prose = blocks.filter(({ isProse }) => isProse).flatMap(({ sentences }) => sentences);
  const grade = fleschKincaid({
    sentence: prose.length,
    word: wordsOf(prose),
    syllable: prose.reduce((sum, { text }) => sum + syllable(text.replaceAll(CODE, 'code')), 0),
  });
  return { words: wordsOf(sentences), grade, sentences };
}

function wordsOf(sentences: readonly Pick<Sentence, 'words'>[]): number {
  return sentences.reduce((sum, { words }) => sum + words, 0);
}

/** Stands for a piece of code: a letter that no page has. */
const CODE = 'Ꞓ';

interface Block {
  readonly line: number;
  /** A paragraph: neither a heading nor a cell of a table. */
  readonly isProse: boolean;
  readonly text: string;
}

/** Paragraphs, headings and cells, each with its own sentences. */
function blocksOf(node: Nodes): Block[] {
  if (node.type === 'paragraph' || node.type === 'heading' || node.type === 'tableCell') {
    return [{ line: node.position?.start.line ?? 0, isProse: node.type === 'paragraph', text: textOf(node) }];
  }
  return 'children' in node ? node.children.flatMap(blocksOf) : [];
}

function textOf(node: Nodes | RootContent): string {
  if (node.type === 'inlineCode') return CODE;
  if (node.type === 'text') return node.value;
  if (node.type === 'break') return ' ';
  return 'children' in node ? node.children.map(textOf).join('') : '';
}

const sentenceSegmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
const wordSegmenter = new Intl.Segmenter('en', { granularity: 'word' });

function sentencesOf(block: string): Omit<Sentence, 'line'>[] {
  const segments = [...sentenceSegmenter.segment(block.replace(/\s+/g, ' '))].map(({ segment }) => segment);
  // Our own name is never written with a capital, and begins sentences. So do some values, options and exit codes.
  return segments
    .flatMap((segment) =>
      segment.split(/(?<=[.!?:]["')]*) (?=certpin\b)|(?<=[.!?]) (?=(?:undefined|null|false):|--\w|\d )/),
    )
    .flatMap((segment) => {
      const words = [...wordSegmenter.segment(segment)].filter(({ isWordLike }) => isWordLike).length;
      return words === 0 ? [] : [{ text: segment.trim(), words }];
    });
}

/** Reads the sentences of a man page. Examples, tables and the names of options are not sentences. */
export function readManPage(roff: string): Sentence[] {
  const sentences: Sentence[] = [];
  let paragraph: string[] = [];
  let begun = 1;
  const end = (): void => {
    sentences.push(...sentencesOf(paragraph.join(' ')).map((one) => ({ line: begun, ...one })));
    paragraph = [];
  };
  let isVerbatim = false;
  for (const [index, line] of roff.split('\n').entries()) {
    if (line === '.nf') isVerbatim = true;
    if (line.startsWith('.')) end();
    else if (!isVerbatim) {
      if (paragraph.length === 0) begun = index + 1;
      paragraph.push(line.replace(/\\(?:\[u[0-9A-F]+\]|\([a-z]{2}|&)/g, '').replaceAll('\\-', '-'));
    }
    if (line === '.fi') isVerbatim = false;
  }
  end();
  return sentences;
}

/**
 * Reads the sentences of a source: those of its comments, and those of its texts. A hole in a template is one word. Texts with line
 * ends are left out: they are scripts, or help texts, which the man pages have. Texts in HTML are left out too.
 */
export function readSource(path: string, code: string): Sentence[] {
  const source = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true);
  const comments = new Map<number, ts.CommentRange>();
  const texts: { at: number; text: string }[] = [];
  const visit = (node: ts.Node): void => {
    for (const range of ts.getLeadingCommentRanges(code, node.getFullStart()) ?? []) comments.set(range.pos, range);
    for (const range of ts.getTrailingCommentRanges(code, node.getEnd()) ?? []) comments.set(range.pos, range);
    if (ts.isStringLiteralLike(node)) texts.push({ at: node.getStart(), text: node.text });
    if (ts.isTemplateExpression(node)) {
      const rest = node.templateSpans.map(({ literal }) => `${CODE}${literal.text}`).join('');
      texts.push({ at: node.getStart(), text: `${node.head.text}${rest}` });
    }
    for (const child of node.getChildren(source)) if (child.kind !== ts.SyntaxKind.JSDoc) visit(child);
  };
  visit(source);
  const lineOf = (at: number): number => source.getLineAndCharacterOfPosition(at).line + 1;
  const said = texts.filter(({ text }) => !/\n|^\s*</.test(text) && text.includes(' '));
  return [
    ...paragraphsOfComments(
      code,
      [...comments.values()].sort((one, other) => one.pos - other.pos),
    ),
    ...said,
  ].flatMap(({ at, text }) =>
    sentencesOf(text.replace(INLINE_CODE, CODE)).map((one) => ({ line: lineOf(at), ...one })),
  );
}

const INLINE_CODE = /`[^`]*`|\{@link [^}]*\}/g;

/** A blank line, a tag, an item of a list and an example separate the paragraphs of a comment. Lines with `//` belong together. */
function paragraphsOfComments(code: string, ranges: readonly ts.CommentRange[]): { at: number; text: string }[] {
  const joined: { at: number; end: number; text: string }[] = [];
  for (const { pos, end, kind } of ranges) {
    const last = joined.at(-1);
    const isLine = kind === ts.SyntaxKind.SingleLineCommentTrivia;
    const text = code.slice(pos, end);
    if (isLine && last?.text.startsWith('//') && /^\n[ \t]*$/.test(code.slice(last.end, pos))) {
      last.text += `\n${text}`;
      last.end = end;
    } else joined.push({ at: pos, end, text });
  }
  return joined.flatMap(({ at, text }) =>
    text
      .replace(/^\/\*+|\*+\/$/g, '')
      .replace(/^[ \t]*(?:\*|\/\/)[ \t]?/gm, '')
      .replace(/^[ \t]*```.*?```/gms, '')
      .split(/\n[ \t]*\n|\n(?=[ \t]*(?:@|- |\||npm |node ))/)
      .filter((paragraph) => !/^[ \t]*(?:@type|@typedef|biome-|npm |node )/.test(paragraph))
      .map((paragraph) => ({ at, text: paragraph })),
  );
}

/** The sentences of a page, a man page or a source that have more than {@link MOST_WORDS} words. */
export function longSentences(path: string, text: string): Sentence[] {
  const sentences = path.endsWith('.md')
    ? readPage(text).sentences
    : path.endsWith('.1')
      ? readManPage(text)
      : readSource(path, text);
  return sentences.filter(({ words }) => words > MOST_WORDS);
}

function main(given: readonly string[]): void {
  const paths =
    given.length === 0
      ? [...pagesOf(), ...manPagesOf(), ...sourcesOf()]
      : given.map((path) => relative(root, join(process.cwd(), path)));
  let long = 0;
  for (const path of paths) {
    const text = readFileSync(join(root, path), 'utf8');
    if (path.endsWith('.md')) {
      const { words, grade } = readPage(text);
      console.log(`${path}: grade ${grade.toFixed(1)}, ${words} words`);
    }
    for (const { line, text: sentence, words } of longSentences(path, text)) {
      long++;
      console.log(`  ${path}:${line}, ${words} words: ${sentence.replaceAll(CODE, '`…`')}`);
    }
  }
  console.log(`${long} sentences of more than ${MOST_WORDS} words in ${paths.length} files`);
  if (long > 0) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
