// The accidents this prevents: a reader follows a link into nothing, or pastes a snippet that switches verification off. Or a clone of the
// repository works only on its author's machine, or behind its package mirror.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeBlocks, FENCED } from './markdown.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What is committed, or would be by `git add --all`. */
const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const folders = new Set(files.flatMap(ancestors));
const pages = files.filter((file) => file.endsWith('.md'));
const lockFiles = files.filter((file) => posix.basename(file) === 'package-lock.json');

describe('links', () => {
  for (const page of pages) {
    it(`of ${page} lead somewhere`, () => {
      assert.deepEqual(
        linksOf(read(page))
          .map((link) => ({ link, problem: problemOf(page, link) }))
          .filter(({ problem }) => problem !== undefined),
        [],
      );
    });
  }
});

describe('commands of the examples', () => {
  const { scripts } = readJson<{ scripts: Record<string, string> }>('package.json');
  for (const page of pages.filter((page) => /^examples\/[^/]+\/README\.md$/.test(page))) {
    it(`in ${page} name scripts and tests that are there`, () => {
      const text = read(page);
      const names = [...text.matchAll(/npm run (\S+)/g)].map(([, name = '']) => name);
      const tests = [...text.matchAll(/npm test -w @certpin\/examples -- (\S+)/g)].map(([, path = '']) => path);
      assert.ok(names.length > 0 && tests.length > 0);
      assert.deepEqual(
        [
          ...names.filter((name) => scripts[name] === undefined),
          ...tests.filter((path) => !files.includes(`examples/${path}`)),
        ],
        [],
      );
    });
  }
});

describe('code in the documentation', () => {
  for (const page of pages) {
    it(`of ${page} switches no verification off`, () => {
      const insecure = codeBlocks(read(page))
        // A diff may show the line that is to be removed.
        .filter(({ language }) => language !== 'diff')
        .filter(({ code }) =>
          /rejectUnauthorized['"]?\s*[:=]\s*false|NODE_TLS_REJECT_UNAUTHORIZED['"\]]*\s*=\s*['"]?0/.test(code),
        );
      assert.deepEqual(insecure, []);
    });
  }
});

describe('lock files', () => {
  it('stand beside every package.json that npm installs from', () => {
    const { packages } = readJson<{ packages: Record<string, Locked> }>('package-lock.json');
    const installable = files
      .filter((file) => posix.basename(file) === 'package.json')
      .map((file) => posix.dirname(file))
      .filter((folder) => folder === '.' || packages[folder] === undefined);
    assert.deepEqual(lockFiles.map((file) => posix.dirname(file)).sort(), installable.sort());
  });

  for (const lockFile of lockFiles) {
    it(`${lockFile} names no registry and says what every package must hash to`, () => {
      const { packages } = readJson<{ packages: Record<string, Locked> }>(lockFile);
      const installed = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && !link);
      assert.deepEqual(named(installed.filter(([, { resolved }]) => resolved !== undefined)), []);
      assert.deepEqual(
        named(installed.filter(([, { integrity, inBundle }]) => integrity === undefined && !inBundle)),
        [],
      );
    });
  }
});

describe('packages of the workspace', () => {
  const { packages } = readJson<{ packages: Record<string, Locked> }>('package-lock.json');
  const manifests = Object.entries(packages)
    .filter(([folder]) => !folder.includes('node_modules/'))
    .map(([folder, locked]) => ({ locked, ...readJson<Manifest>(posix.join(folder, 'package.json')) }));
  const versions = new Map(manifests.map(({ name, version }) => [name, version]));

  for (const { name, version, dependencies, devDependencies, locked } of manifests) {
    it(`${name} depends on the others in their present versions, and the lock file knows its own`, () => {
      const own = Object.entries({ ...dependencies, ...devDependencies }).filter(([dependency]) =>
        versions.has(dependency),
      );
      assert.deepEqual(
        own,
        own.map(([dependency]) => [dependency, versions.get(dependency)]),
      );
      assert.equal(locked.version, version);
    });
  }
});

describe('committed files', () => {
  it('name no path of a machine', () => {
    // The start of an absolute path, and not of a URL's path: no part of a path or a host comes before it.
    const machinePath = new RegExp(
      `(?:file://|(?<![\\w.~@/*})\\]-]))/(?:${['work', 'tmp', 'root', 'home/\\w+', 'Users/\\w+'].join('|')})/`,
    );
    const found = files
      .filter((file) => !lockFiles.includes(file))
      .flatMap((file) =>
        read(file)
          .split('\n')
          .map((line, index) => ({ at: `${file}:${index + 1}`, line }))
          .filter(({ line }) => machinePath.test(line)),
      );
    assert.deepEqual(found, []);
  });
});

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
}

interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

function named(entries: readonly [string, unknown][]): string[] {
  return entries.map(([name]) => name);
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function readJson<Value>(file: string): Value {
  return JSON.parse(read(file)) as Value;
}

function ancestors(file: string): string[] {
  const parent = dirname(file);
  return parent === '.' ? ['.'] : [parent, ...ancestors(parent)];
}

/** The targets of a page's links and pictures, in Markdown and in HTML. Code does not count. */
function linksOf(markdown: string): string[] {
  const prose = withoutCode(markdown);
  const inline = prose.matchAll(/\]\(\s*<?([^\s()<>]+(?:\([^\s()]*\)[^\s()<>]*)*)>?(?:\s+["'(][^\n]*?["')])?\s*\)/g);
  const definitions = prose.matchAll(/^ {0,3}\[[^\]\n]+\]:\s*<?([^\s<>]+)/gm);
  const html = prose.matchAll(/\b(?:href|src)="([^"]+)"/g);
  return [...inline, ...definitions, ...html].map((match) => match[1] ?? '');
}

/** Why a link of `page` leads nowhere. undefined: it leads somewhere, or out of the repository. */
function problemOf(page: string, link: string): string | undefined {
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(link)) return undefined;
  const [path = '', fragment] = link.split('#').map(decodeURIComponent);
  const target =
    path === '' ? page : posix.join(path.startsWith('/') ? '' : posix.dirname(page), path).replace(/^\/|\/$/g, '');
  if (!files.includes(target) && !folders.has(target)) return 'no such file';
  if (fragment === undefined || !target.endsWith('.md')) return undefined;
  return anchorsOf(read(target)).has(fragment) ? undefined : 'no such heading';
}

/** The anchors of a page: its headings as GitHub spells them, and those that it sets itself. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const prose = markdown.replace(FENCED, '');
  for (const [, heading = ''] of prose.matchAll(/^ {0,3}#{1,6}\s+(.+?)\s*#*$/gm)) {
    const slug = heading
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-');
    let unique = slug;
    for (let count = 1; anchors.has(unique); count++) unique = `${slug}-${count}`;
    anchors.add(unique);
  }
  for (const [, id = ''] of prose.matchAll(/<[a-z][^>]*\s(?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

function withoutCode(markdown: string): string {
  return markdown.replace(FENCED, '').replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '');
}
