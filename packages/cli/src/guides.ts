import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { type Colors, type Io, printText, stdoutColors } from './io.ts';

/** The guides of the documentation, one task on each page. The package contains them, so they can be read without a browser. */
const folder = new URL('../guides/', import.meta.url);

/** `certpin help guides` lists all of them. `certpin help NAME` prints one. @returns whether there is such a guide */
export function printGuide(io: Io, name: string): boolean {
  const colors = stdoutColors(io);
  const width = io.stdoutWidth?.() ?? 100;
  if (name === 'guides') {
    const rows = guides().map((guide) => `  ${guide.padEnd(26)} ${titleOf(read(guide))}`);
    printText(
      io,
      `${colors.bold('Guides')}, one task each:\n${rows.join('\n')}\n\nOne of them: certpin help ${guides()[0]}`,
    );
    return true;
  }
  if (!guides().includes(name)) return false;
  printText(io, renderPage(read(name), colors, width));
  return true;
}

/** The names of the guides, in alphabetical order. */
function guides(): readonly string[] {
  if (!existsSync(folder)) return []; // Not built.
  return readdirSync(folder)
    .map((file) => file.replace(/\.md$/, ''))
    .sort();
}

function read(name: string): string {
  return readFileSync(new URL(`${name}.md`, folder), 'utf8');
}

function titleOf(page: string): string {
  return /^# (.*)$/m.exec(page)?.[1] ?? '';
}

/** One of our Markdown pages for a terminal: code is indented, and a link is its text and where to read on. */
function renderPage(page: string, colors: Colors, width: number): string {
  const blocks = page.trim().split(/^(```[^\n]*\n[\s\S]*?^```)$/m);
  const parts = blocks.flatMap((block) =>
    block.startsWith('```') ? [renderCode(block)] : renderProse(block, colors, width),
  );
  const leadsOut = page.includes('](../');
  return [...parts, ...(leadsOut ? ['Pages that end with .md are in the repository of certpin.'] : [])].join('\n\n');
}

/** Another guide is a command. Other pages do not come with this package: they are named by their place in the repository. */
function renderLink(text: string, target: string): string {
  const [path = ''] = target.split('#');
  if (path === '') return text;
  if (/^\w+:/.test(path)) return `${text} (${path})`;
  const name = path.replace(/\.md$/, '');
  return guides().includes(name) ? `${text} (certpin help ${name})` : `${text} (${posix.join('docs/guides', path)})`;
}

function renderCode(block: string): string {
  const [fence = '', ...lines] = block.split('\n').slice(0, -1);
  const [, file] = fence.split(' ');
  const text = lines.map((line) => (line === '' ? '' : `    ${line}`)).join('\n');
  return file === undefined ? text : `  ${file}:\n\n${text}`;
}

function renderProse(text: string, colors: Colors, width: number): string[] {
  const shown = text
    .replace(/^<!--.*-->$/gm, '')
    .replace(/\[([^\]]*)\]\(([^)]*)\)/g, (_, words: string, target: string) => renderLink(words, target));
  const paragraphs = shown.split(/\n{2,}/).flatMap((paragraph) => paragraph.trim().split(/\n(?=- )/));
  return paragraphs
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => {
      const heading = /^#+ (.*)$/.exec(paragraph)?.[1];
      if (heading !== undefined) return colors.bold(heading);
      if (paragraph.startsWith('|')) return paragraph;
      return wrap(
        paragraph.replace(/\*\*([^*]*)\*\*/g, '$1').replace(/\s+/g, ' '),
        width,
        paragraph.startsWith('- ') ? '  ' : '',
      );
    });
}

/** @param indent before each line except the first */
function wrap(text: string, width: number, indent: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.trim() !== '' && last.length + word.length + 1 > width) lines.push(`${indent}${word}`);
    else lines[lines.length - 1] = last.trim() === '' ? `${last}${word}` : `${last} ${word}`;
  }
  return lines.join('\n');
}
