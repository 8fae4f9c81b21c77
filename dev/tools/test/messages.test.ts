// The accident this prevents: a message sends somebody to a page of a repository without a public address, and no package contains the
// page.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const packages = ['certpin', 'pins-file', 'auth0', 'cli'];

/** A page of ours, by its path or by its name. */
const pages = readdirSync(join(root, 'docs'), { recursive: true }) as string[];
const PAGE = /(?:[\w@./-]*\/)?[\w-]+\.md\b/g;

/** Text that a program can print: string literals and the fixed parts of templates. Comments do not count. */
function textsOf(code: string): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      texts.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('built.js', code, ts.ScriptTarget.Latest));
  return texts;
}

for (const name of packages) {
  describe(`what ${name} says`, () => {
    const folder = join(root, 'packages', name);
    const built = (readdirSync(join(folder, 'dist'), { recursive: true }) as string[])
      .filter((path) => /\.c?js$/.test(path))
      .map((path) => join('dist', path));
    const pagesNamed = (texts: readonly string[]): string[] =>
      texts
        .flatMap((text) => text.match(PAGE) ?? [])
        .filter((path) => pages.some((page) => `/${path}`.endsWith(`/${page}`)));

    it('names no page of the documentation that no package contains', () => {
      assert.ok(built.length > 0, 'not built; run: npm run build');
      const astray = built.flatMap((file) =>
        pagesNamed(textsOf(readFileSync(join(folder, file), 'utf8')))
          .filter(
            (path) =>
              !packages.some((other) =>
                existsSync(join(root, 'packages', other, path.replace(/^@?certpin\/(?:\w+\/)?/, ''))),
              ),
          )
          .map((path) => `${file}: ${path}`),
      );
      assert.deepEqual(astray, []);
    });

    it('names none in its man page', () => {
      const man = join(folder, 'man');
      const texts = existsSync(man) ? readdirSync(man).map((page) => readFileSync(join(man, page), 'utf8')) : [];
      assert.deepEqual(pagesNamed(texts), []);
    });

    it('names no home that there is not: repository, homepage and bugs wait for a public address', () => {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      assert.deepEqual([manifest.repository, manifest.homepage, manifest.bugs], [undefined, undefined, undefined]);
    });
  });
}
