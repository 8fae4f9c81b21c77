// How hard a page is to read: sentences of more than 28 words, and its grade (Flesch-Kincaid: years of school in the United States).
//
//   npm run plain-words                     every page, with its grade and its long sentences
//   npm run plain-words -- docs/reference/pg.md …     these pages
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fleschKincaid } from 'flesch-kincaid';
import type { Nodes, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmTableFromMarkdown } from 'mdast-util-gfm-table';
import { gfmTable } from 'micromark-extension-gfm-table';
import { syllable } from 'syllable';

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
  // Our own name is never written with a capital, and begins sentences.
  return segments
    .flatMap((segment) => segment.split(/(?<=[.!?:]["')]*) (?=certpin\b)/))
    .flatMap((segment) => {
      const words = [...wordSegmenter.segment(segment)].filter(({ isWordLike }) => isWordLike).length;
      return words === 0 ? [] : [{ text: segment.trim(), words }];
    });
}

function main(given: readonly string[]): void {
  const paths = given.length === 0 ? pagesOf() : given.map((path) => relative(root, join(process.cwd(), path)));
  let long = 0;
  for (const path of paths) {
    const { words, grade, sentences } = readPage(readFileSync(join(root, path), 'utf8'));
    console.log(`${path}: grade ${grade.toFixed(1)}, ${words} words`);
    for (const { line, text, words: count } of sentences.filter((one) => one.words > MOST_WORDS)) {
      long++;
      console.log(`  line ${line}, ${count} words: ${text.replaceAll(CODE, '`…`')}`);
    }
  }
  console.log(`${long} sentences of more than ${MOST_WORDS} words in ${paths.length} pages`);
  if (long > 0) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
