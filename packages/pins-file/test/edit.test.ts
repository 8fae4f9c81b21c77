import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changeText, emptyText, type NewEntry } from '../src/edit.ts';
import { parsePinsFile } from '../src/parse.ts';

const A = 'AA'.repeat(32);
const B = 'BB'.repeat(32);

const addEntry = (text: string, entry: NewEntry): string => changeText(text, { add: [entry] });
const addPin = (text: string, index: number, pin: string): string =>
  changeText(text, { entries: [{ index, pins: { add: [pin] } }] });
const replacePins = (text: string, index: number, pin: string): string =>
  changeText(text, { entries: [{ index, pins: { replace: [pin] } }] });

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
      "pins": ["PIN2"]
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
  const text = addEntry(emptyText, { target: 'a:1', servername: 'a.example', pins: [A] });
  const [entry] = parsePinsFile(text, 'p.json').entries;
  assert.deepEqual([entry?.label, entry?.servername, entry?.policy.pins[0]?.sha256], ['a:1', 'a.example', A]);
  assert.equal(text.at(-1), '\n');
});

test('several targets at once, and a list of pins a line each: the shape of the last one', () => {
  expectEdit(
    '{\n  "version": 1,\n  "targets": [\n    {\n      "target": "a:1",\n      "pins": [\n        "PIN1",\n      ],\n    },\n  ],\n}',
    (text) =>
      changeText(text, {
        add: [
          { target: 'b:2', pins: [B] },
          { target: 'c:3', pins: [A], note: 'x' },
        ],
      }),
    '{\n  "version": 1,\n  "targets": [\n    {\n      "target": "a:1",\n      "pins": [\n        "PIN1",\n      ],\n    },' +
      '\n    {\n      "target": "b:2",\n      "pins": [\n        "PIN2"\n      ]\n    },' +
      '\n    {\n      "target": "c:3",\n      "pins": [\n        "PIN1"\n      ],\n      "note": "x"\n    },\n  ],\n}',
  );
});

test('a list that is replaced keeps its shape: a pin a line', () => {
  expectEdit(
    '{ "version": 1, "targets": [\n  { "target": "a:1", "pins": [\n    "PIN1", // old\n    "PIN2"\n  ] }\n] }',
    (text) => replacePins(text, 0, B),
    '{ "version": 1, "targets": [\n  { "target": "a:1", "pins": [\n    "PIN2"\n  ] }\n] }',
  );
});

const remove =
  (...indices: number[]) =>
  (text: string): string =>
    changeText(text, { remove: indices });

test('a target that is removed goes with its comments, and nothing else does', () => {
  const file = (...targets: string[]): string =>
    `{\n  "version": 1,\n  // all\n  "targets": [\n${targets.join('\n')}\n  ], // end\n}\n`;
  const a = '    // the database\n    { "target": "a:1", "pins": ["PIN1"] }, // ask Anna';
  const b = '    // mail\n    {\n      "target": "b:2", /* x */\n      "pins": ["PIN2"]\n    },';
  const c = '\n    { "target": "c:3", "pins": ["PIN1"] } // last';
  expectEdit(file(a, b, c), remove(1), file(a, c));
  expectEdit(file(a, b, c), remove(0), file(b, c));
  expectEdit(file(a, b, c), remove(2), file(a, b.replace(/,$/, ''), ''));
  expectEdit(file(a, b, c), remove(1, 2), file(a.replace('}, //', '} //'), ''));
  // What stands above several targets may be their heading.
  const plain = '    { "target": "d:4", "pins": ["PIN1"] },';
  expectEdit(file(a, plain, c), remove(0), file('    // the database', plain, c));
});

test('a line that begins and ends with a comment is no comment: what stands between the two stays', () => {
  const file = (...lines: string[]): string => `{ "version": 1, "targets": [\n${lines.join('\n')}\n] }`;
  const a = '  /* db */ { "target": "a:1", "pins": ["PIN1"] }, /* ask Anna */';
  const b = '  { "target": "b:2", "pins": ["PIN1"] }';
  expectEdit(file(a, `${b},`), remove(1), file(a));
  expectEdit(file(a, b), remove(1), file(a.replace('},', '}')));
  const end = ['  {', '    "target": "a:1", "pins": ["PIN1"]', '  /* of a */ }, /* and b */'];
  expectEdit(file(...end, `${b},`), remove(1), file(...end));
  expectEdit(file('  /* both */ /* of */ // them', `${b},`), remove(0), file('').replace('\n\n', '\n'));
});

test('targets of one line are removed from it', () => {
  const one = (name: string): string => `{"target":"${name}","pins":["PIN1"]}`;
  const file = (...names: string[]): string => `{"version":1,"targets":[${names.map(one).join(', ')}]}`;
  expectEdit(file('a:1', 'b:2', 'c:3'), remove(1), file('a:1', 'c:3'));
  expectEdit(file('a:1', 'b:2', 'c:3'), remove(2), file('a:1', 'b:2'));
  expectEdit(file('a:1', 'b:2', 'c:3'), remove(1, 2), file('a:1'));
  expectEdit(file('a:1', 'b:2', 'c:3'), remove(0, 1, 2), file());
});

test('a pin that is revoked leaves the list and stands in the other one; the version is raised', () => {
  const revoke = (text: string): string => {
    const change = {
      index: 0,
      drop: (pin: string) => pin === A,
      revoke: [{ pin: A, since: '2026-11-29', reason: 'lost' }],
    };
    return changeText(text, { entries: [change] });
  };
  const gone = '"revoked": [{ "pin": "PIN1", "since": "2026-11-29", "reason": "lost" }]';
  expectEdit(
    '{ "version": 1, // one\n"targets": [\n  { "target": "a:1", "pins": ["PIN1", "PIN2"] } // x\n] }',
    revoke,
    `{ "version": 2, // one\n"targets": [\n  { "target": "a:1", "pins": ["PIN2"], ${gone} } // x\n] }`,
  );
  expectEdit(
    '{ "version": 2, "targets": [\n{ "target": "a:1",\n  "pins": [\n    "PIN2", // next\n    "PIN1" // now\n  ] } ] }',
    revoke,
    `{ "version": 2, "targets": [\n{ "target": "a:1",\n  "pins": [\n    "PIN2" // next\n  ],\n  ${gone} } ] }`.replace(
      ',\n  "revoked',
      ', "revoked',
    ),
  );
  // A list of which nothing is left goes, where the other one is there.
  expectEdit(
    '{ "version": 1, "targets": [ { "target": "a:1", "pins": ["PIN1"], "issuerPins": ["PIN2"] } ] }',
    revoke,
    `{ "version": 2, "targets": [ { "target": "a:1", "issuerPins": ["PIN2"], ${gone} } ] }`,
  );
});

test('whatever is removed: the others are as they were, and every comment that is not beside it stays', () => {
  const space = fc.constantFrom('', ' ', '\n', '\r\n    ', '\t', '\n\n');
  const file = fc.tuple(
    fc.array(space, { minLength: 12, maxLength: 12 }),
    fc.integer({ min: 1, max: 5 }),
    fc.boolean(),
  );
  fc.assert(
    fc.property(file, fc.array(fc.nat(4), { minLength: 1 }), ([spaces, count, hasComma], wanted) => {
      let used = 0;
      const s = (): string => spaces[used++ % spaces.length] ?? '';
      const targets = Array.from(
        { length: count },
        (_, index) => `${s()}{${s()}"target":"a:${index + 1}",${s()}"pins":[${s()}"${A}"]${s()}}${s()}`,
      );
      const text = `{"version":1,/*head*/"targets":[${targets.join(',')}${hasComma ? ',' : ''}${s()}]${s()}/*foot*/}`;
      const gone = [...new Set(wanted.filter((index) => index < count))];
      const after = parsePinsFile(changeText(text, { remove: gone }), 'p.json');
      assert.deepEqual(
        after.entries.map(({ label }) => label),
        targets.map((_, index) => `a:${index + 1}`).filter((_, index) => !gone.includes(index)),
      );
      assert.match(after.text, /head.*foot/s);
    }),
    { numRuns: 300 },
  );
});
