// The accident this prevents: a file that cannot be read without the file that it is read for.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** Of each file the files of ours that it imports: as values, as types, or when they are needed. */
const imports = new Map(
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => {
      const found = readFileSync(join(src, file), 'utf8').matchAll(/(?:\bfrom|\bimport\()\s*'(\.{1,2}\/[^']+)'/g);
      return [file, [...found].map(([, path = '']) => normalize(join(dirname(file), path)))] as const;
    }),
);

test('no file of the command line leads back to itself, types included', () => {
  assert.ok(imports.size > 60, 'the imports are read');
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' > '));
    if (done.has(file) || way.includes(file)) return;
    for (const next of imports.get(file) ?? []) walk(next, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) walk(file, []);
  assert.deepEqual(circles, []);
});

test('io.ts imports nothing of ours, and files/ nothing but io.ts and itself', () => {
  assert.deepEqual(imports.get('io.ts'), []);
  const above = [...imports].flatMap(([file, paths]) =>
    file.startsWith('files/') ? paths.filter((path) => path !== 'io.ts' && !path.startsWith('files/')) : [],
  );
  assert.deepEqual(above, []);
});
