import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

// No file of a package needs itself, whatever the way. Types count: who reads one file of a circle has to read all of them.

const root = fileURLToPath(new URL('../../..', import.meta.url));

function sourcesOf(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return files.filter((file) => /\.[cm]?[jt]s$/.test(file)).map((file) => join(folder, file).split(sep).join('/'));
}

/** What a text imports, as it is written there: for values, for types, in a comment of a JavaScript file too. */
function specifiersOf(text: string, file: string): string[] {
  const kind = file.endsWith('ts') ? ts.ScriptKind.TS : ts.ScriptKind.JS;
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, kind);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isRequire = ts.isCallExpression(node) && /^(?:import|require)$/.test(node.expression.getText(source));
    const named =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
          ? node.argument.literal
          : ts.isExternalModuleReference(node)
            ? node.expression
            : isRequire
              ? node.arguments[0]
              : undefined;
    if (named !== undefined && ts.isStringLiteralLike(named)) found.push(named.text);
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  return [...new Set(found)];
}

function targetsOf(file: string): string[] {
  return specifiersOf(readFileSync(join(root, file), 'utf8'), file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) =>
      relative(root, join(root, dirname(file), specifier))
        .split(sep)
        .join('/'),
    );
}

/** The sets of files that need one another: the strongly connected components (Tarjan) of more than one file, and files that need themselves. */
function circlesIn(targets: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const walk = (file: string): number => {
    const number = order.size;
    let low = number;
    order.set(file, number);
    stack.push(file);
    for (const target of targets.get(file) ?? []) {
      if (!order.has(target)) low = Math.min(low, walk(target));
      else if (stack.includes(target)) low = Math.min(low, order.get(target) ?? low);
    }
    lowest.set(file, low);
    if (low !== number) return low;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1 || targets.get(file)?.includes(file)) circles.push(circle.sort());
    return low;
  };
  for (const file of targets.keys()) if (!order.has(file)) walk(file);
  return circles;
}

describe('the reader of imports', () => {
  it('sees every way to need a file', () => {
    const text = `
      import './bare.ts';
      import { a } from './value.ts';
      import type { B } from './type.ts';
      import { type C } from './inline-type.ts';
      export { d } from './export.ts';
      export type { E } from './export-type.ts';
      type F = import('./import-type.ts').F;
      const g: typeof import('./import-typeof.ts') = await import('./dynamic.ts');
      import h = require('./import-require.ts');
      // import '../comment.ts';
      const i = "import './string.ts'";`;
    assert.deepEqual(specifiersOf(text, 'a.ts').sort(), [
      './bare.ts',
      './dynamic.ts',
      './export-type.ts',
      './export.ts',
      './import-require.ts',
      './import-type.ts',
      './import-typeof.ts',
      './inline-type.ts',
      './type.ts',
      './value.ts',
    ]);
  });

  it('sees what a JavaScript file requires, and the types in its comments', () => {
    const text = `/** @param {import('./type.cjs').A} a */ function f(a) { return require('./value.cjs'); }
      /** @typedef {{ b: import('./typedef.cjs').B }} C */`;
    assert.deepEqual(specifiersOf(text, 'a.cjs').sort(), ['./type.cjs', './typedef.cjs', './value.cjs']);
  });

  it('finds circles of one, of two and of three files, and no others', () => {
    const targets = { a: ['b'], b: ['c', 'd'], c: ['a'], d: ['e'], e: ['d', 'f'], f: ['g'], g: [], h: ['h', 'g'] };
    assert.deepEqual(circlesIn(new Map(Object.entries(targets))), [['d', 'e'], ['a', 'b', 'c'], ['h']]);
  });
});

describe('the files of a package', () => {
  for (const name of readdirSync(join(root, 'packages'))) {
    const sources = sourcesOf(`packages/${name}/src`);
    const targets = new Map(sources.map((file) => [file, targetsOf(file)]));

    it(`import files that are there: packages/${name}`, () => {
      const astray = sources.flatMap((file) =>
        (targets.get(file) ?? [])
          .filter((target) => target.startsWith(`packages/${name}/src/`) && !targets.has(target))
          .map((target) => `${file} -> ${target}`),
      );
      assert.deepEqual(astray, []);
    });

    it(`go in no circle, types counted: packages/${name}`, () => {
      assert.deepEqual(circlesIn(targets), []);
    });
  }
});
