import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addEntry, addPin, createText, replacePins } from '../src/edit.ts';
import { parsePinsFile } from '../src/parse.ts';

const A = 'AA'.repeat(32);
const B = 'BB'.repeat(32);

/** A and B stand for pins. */
const spelled = (text: string): string => text.replaceAll('PIN1', A).replaceAll('PIN2', B);

function expectEdit(before: string, edit: (text: string) => string, after: string): void {
  const edited = edit(spelled(before));
  assert.equal(edited, spelled(after));
  parsePinsFile(edited, 'p.json');
}

const added = (text: string): string => addEntry(text, { target: 'b:2', pins: [B] });

test('a new target stands last, in the form of the others; a comment stays with the target that it is about', () => {
  expectEdit(
    `// servers
{
  "version": 1,
  "targets": [
    // the database
    {
      "target": "a:1", // ask Anna
      "pins": ["PIN1"]
    } // until May
    // nothing else
  ]
}
`,
    added,
    `// servers
{
  "version": 1,
  "targets": [
    // the database
    {
      "target": "a:1", // ask Anna
      "pins": ["PIN1"]
    }, // until May
    {
      "target": "b:2",
      "pins": [
        "PIN2"
      ]
    }
    // nothing else
  ]
}
`,
  );
});

test('a target a line, tabs, CRLF, trailing commas: as they are', () => {
  expectEdit(
    '{\r\n\t"version": 1,\r\n\t"targets": [\r\n\t\t{ "target": "a:1", "pins": ["PIN1",], }, /* x */ // y, ]\r\n\t],\r\n}',
    added,
    '{\r\n\t"version": 1,\r\n\t"targets": [\r\n\t\t{ "target": "a:1", "pins": ["PIN1",], }, /* x */ // y, ]\r\n\t\t{ "target": "b:2", "pins": ["PIN2"] },\r\n\t],\r\n}',
  );
});

test('a file on one line, an empty list, a list with a comment alone', () => {
  expectEdit(
    '{"version":1,"targets":[{"target":"a:1","pins":["PIN1"]}]}',
    added,
    '{"version":1,"targets":[{"target":"a:1","pins":["PIN1"]}, { "target": "b:2", "pins": ["PIN2"] }]}',
  );
  expectEdit(
    '\uFEFF{\n  "version": 1,\n  "targets": []\n}',
    added,
    '\uFEFF{\n  "version": 1,\n  "targets": [\n    {\n      "target": "b:2",\n      "pins": [\n        "PIN2"\n      ]\n    }\n  ]\n}',
  );
  expectEdit(
    '{\n  "version": 1,\n  "targets": [\n    // none yet\n  ]\n}',
    added,
    '{\n  "version": 1,\n  "targets": [\n    // none yet\n    {\n      "target": "b:2",\n      "pins": [\n        "PIN2"\n      ]\n    }\n  ]\n}',
  );
});

test('a second pin stands behind the first, with its comment', () => {
  const two = (text: string): string => addPin(text, 0, B);
  const file = (pins: string): string => `{\n  "version": 1,\n  "targets": [{ "target": "a:1"${pins} }]\n}`;
  expectEdit(file(', "pins": ["PIN1"]'), two, file(', "pins": ["PIN1", "PIN2"]'));
  expectEdit(file(', "pins": ["PIN1",]'), two, file(', "pins": ["PIN1", "PIN2",]'));
  expectEdit(
    file(', "pins": [\n    "PIN1" // current\n  ]'),
    two,
    file(', "pins": [\n    "PIN1", // current\n    "PIN2"\n  ]'),
  );
  expectEdit(file(', "issuerPins": ["PIN1"]'), two, file(', "issuerPins": ["PIN1"], "pins": ["PIN2"]'));
  expectEdit(
    file(', /* , */ "pins" : [\n"PIN1"\n, // a\n]'),
    two,
    file(', /* , */ "pins" : [\n"PIN1"\n, // a\n"PIN2",\n]'),
  );
});

test('pins that are replaced go with their comments, and nothing else does', () => {
  expectEdit(
    '{ "version": 1, "targets": [ // all\n{ "target": "a:1", "pins": [ "PIN1" /* old */ ] /* a */ } ] }',
    (text) => replacePins(text, 0, B),
    '{ "version": 1, "targets": [ // all\n{ "target": "a:1", "pins": ["PIN2"] /* a */ } ] }',
  );
});

test('whatever the form: nothing of the text is lost, and the file says what it should', () => {
  const space = fc.constantFrom('', ' ', '\n', '\r\n    ', '\t', ' // x ] } , "\n', '/* , ] */', '/*\n*/ // y\r\n');
  const comma = fc.constantFrom('', ',');
  const file = fc
    .tuple(
      fc.array(space, { minLength: 40, maxLength: 40 }),
      fc.array(comma, { minLength: 4, maxLength: 4 }),
      fc.nat(3),
    )
    .map(([spaces, commas, count]) => {
      let used = 0;
      const s = (): string => spaces[used++ % spaces.length] ?? '';
      const targets = Array.from(
        { length: count },
        (_, index) =>
          `${s()}{${s()}"target"${s()}:${s()}"a:${index + 1}"${s()},${s()}"pins":${s()}[${s()}"${A}"${s()}${commas[0]}${s()}]${s()}${commas[1]}${s()}}${s()}`,
      );
      const tail = count === 0 ? '' : commas[2];
      return {
        text: `${s()}{${s()}"version":1,"targets":${s()}[${targets.join(',')}${tail}${s()}]${s()}${commas[3]}${s()}}${s()}`,
        count,
      };
    });
  fc.assert(
    fc.property(file, ({ text, count }) => {
      const before = parsePinsFile(text, 'p.json').entries;
      const after = parsePinsFile(addEntry(text, { target: 'b:9', pins: [B] }), 'p.json');
      assert.deepEqual(
        after.entries.map(({ label }) => label),
        [...before.map(({ label }) => label), 'b:9'],
      );
      assertKept(text, after.text);
      if (count === 0) return;
      const pinned = parsePinsFile(addPin(text, count - 1, B), 'p.json');
      assert.deepEqual(
        pinned.entries.at(-1)?.policy.pins.map(({ sha256 }) => sha256),
        [A, B],
      );
      assertKept(text, pinned.text);
    }),
    { numRuns: 300 },
  );
});

/** Every character of the old text stands in the new one, in its order. */
function assertKept(before: string, after: string): void {
  let found = 0;
  for (const character of after) if (character === before[found]) found++;
  assert.equal(found, before.length, after);
}

test('the first target makes the file', () => {
  const text = createText({ target: 'a:1', servername: 'a.example', pins: [A] });
  const [entry] = parsePinsFile(text, 'p.json').entries;
  assert.deepEqual([entry?.label, entry?.servername, entry?.policy.pins[0]?.sha256], ['a:1', 'a.example', A]);
  assert.equal(text.at(-1), '\n');
});
