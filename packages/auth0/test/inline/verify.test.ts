import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLong } from '@certpin/testkit';
import { digestLine, digestOf, firstLine, isDigestLine } from '../../src/inline/header.ts';
import { inlineBlock, inlineClients, verifyInline } from '../../src/inline/index.ts';

const { text, version } = inlineBlock('pg');
const indent = (block: string, by = '  '): string => block.replace(/^(?=.)/gm, by);

/** A custom database script with `block` in its body, and `rest` behind it. */
function login(block: string, rest = ''): string {
  return `function login(email, password, callback) {
${indent(block)}
  const { Pool } = require('pg@8.11.3');
  global.pool = global.pool || new Pool(certpin.pinnedPg({ host: configuration.HOST }, { pins: configuration.PINS }));
  ${rest}
}
`;
}

const blocks = (script: string): string[] => verifyInline(script).map(({ block }) => block);
const states = (script: string): string[] =>
  verifyInline(script).map(({ block, surroundings }) => `${block}, ${surroundings}`);
const reasons = (script: string): string[] =>
  (verifyInline(script)[0]?.problems ?? []).map(({ state, reason }) => `${state}: ${reason}`);

describe('an unmodified block is one', () => {
  for (const client of inlineClients) {
    it(`for ${client}, in a function, in a module, with CRLF, tabs, a byte order mark`, () => {
      const block = inlineBlock(client).text;
      const inFunction = `function login(email, callback) {\n${indent(block)}\n}`;
      for (const script of [
        block,
        `${block}\nexports.onExecutePostLogin = async () => certpin.findCertpinError(1);`,
        inFunction,
        inFunction.replaceAll('\n', '\r\n'),
        inFunction.replaceAll('\n', '\r'),
        `\uFEFF${inFunction}`,
        `async function (email, callback) {\n${indent(block, '\t')}\n};\n`,
      ])
        assert.deepEqual(states(script), ['unmodified, intact']);
    });
  }

  it('with what a login does around it, markers of the Deploy CLI among it', () => {
    const rest = `const { findCertpinError } = certpin; const n = @@LIMIT@@; process.env.X = '##Y##'; global.pins = [, n];`;
    assert.deepEqual(verifyInline(login(text, rest)), [
      { client: 'pg', version, line: 2, block: 'unmodified', surroundings: 'intact', problems: [] },
    ]);
  });

  it('beside another one, each in its own scope', () => {
    const [pg, https] = [text, inlineBlock('https').text].map(
      (block) => `{\n${block}\ncertpin.findCertpinError(1);\n}`,
    );
    assert.deepEqual(states(`${pg}\n${https}`), ['unmodified, intact', 'unmodified, intact']);
  });

  it('where there is none, nothing is found', () => assert.deepEqual(verifyInline('function login() {}'), []));
});

describe('a modified block', () => {
  const place = (script: string): unknown => verifyInline(script).find(({ block }) => block === 'modified')?.difference;

  it('is told with its first line that is another one', () => {
    const line = 'return refusal === undefined || refuse(refusal);';
    const at =
      login(text)
        .split('\n')
        .findIndex((one) => one.includes(line)) + 1;
    const difference = place(login(text.replace(line, 'return true;')));
    assert.deepEqual(difference, { line: at, expected: `      ${line}`, found: '      return true;' });
  });

  it('is one whose lines are not indented alike, are wrapped, lost or added', () => {
    const lines = text.split('\n');
    const middle = lines.findIndex((line) => line.includes('function verifyLeaf('));
    assert.ok(middle > 0);
    const [before, line, after] = [lines.slice(0, middle), lines[middle] ?? '', lines.slice(middle + 1)];
    for (const replaced of [
      [...before, `  ${line}`, ...after],
      [...before, `${line} `, ...after],
      [...before, ...after],
      [...before, line, '// added', ...after],
      before,
    ])
      assert.equal(blocks(login(replaced.join('\n')))[0], 'modified');
  });

  it('is one that says another digest, or none, and one of a client that there is not', () => {
    const another = text.split('\n').map((line) => (isDigestLine(line) ? digestLine('0'.repeat(64)) : line));
    assert.equal(blocks(another.join('\n'))[0], 'modified');
    assert.equal(blocks(another.filter((line) => !isDigestLine(line)).join('\n'))[0], 'modified');
    assert.equal(blocks(text.replaceAll(' for pg', ' for oracle'))[0], 'modified');
  });

  it('is found byte by byte', () => {
    // The digest line is looked at too; one byte of every line is enough for this.
    const lines = text.trimEnd().split('\n');
    for (const [index, line] of lines.entries()) {
      if (line.trim() === '' || !(isLong || index % 10 === 0 || isDigestLine(line))) continue;
      const other = `${line.slice(0, -1)}${line.endsWith('x') ? 'y' : 'x'}`;
      const changed = [...lines.slice(0, index), other, ...lines.slice(index + 1)].join('\n');
      const found = verifyInline(changed);
      assert.ok(!found.some(({ block }) => block === 'unmodified' || block === 'unknown-version'), line);
    }
  });
});

describe('a block of another version', () => {
  const older = text.replaceAll(` ${version} for `, ' 0.0.0-older for ');
  const withDigest = (block: string): string => {
    const lines = block.trimEnd().split('\n');
    return lines.map((line) => (isDigestLine(line) ? digestLine(digestOf(lines)) : line)).join('\n');
  };

  it('is unknown where its digest is its own', () =>
    assert.deepEqual(states(login(withDigest(older))), ['unknown-version, intact']));

  it('is modified where it is not, or where its end is missing', () => {
    assert.deepEqual(blocks(login(older)), ['modified']);
    const cut = withDigest(older.trimEnd().split('\n').slice(0, -1).join('\n'));
    assert.deepEqual(blocks(cut), ['modified']);
  });

  it('that is the installed one but for the lines of the version: that line differs, and nobody else is blamed', () => {
    const lines = login(text).split('\n');
    const first = lines.findIndex((line) => line.includes(firstLine('pg', version)));
    const last = lines.findIndex((line) => line.includes('// end of certpin'));
    const other = (at: number): string => (lines[at] ?? '').replace(version, '9.9.9');
    for (const changed of [[first], [last], [first, last]]) {
      const script = lines.map((line, at) => (changed.includes(at) ? other(at) : line)).join('\n');
      const [finding] = verifyInline(script);
      const at = changed[0] ?? 0;
      assert.deepEqual([finding?.block, finding?.surroundings, finding?.problems], ['modified', 'intact', []]);
      assert.deepEqual(finding?.difference, {
        ...{ line: at + 1, expected: lines[at]?.trim(), found: other(at).trim() },
      });
    }
  });

  it('that is not: the digest that it has, and the one that it says', () => {
    const changed = older.replace('return refusal === undefined || refuse(refusal);', 'return true;');
    const [finding] = verifyInline(login(changed));
    const lines = changed.trimEnd().split('\n');
    const said = /[0-9a-f]{64}/.exec(lines.find(isDigestLine) ?? '')?.[0];
    assert.deepEqual([finding?.block, finding?.digest], ['modified', { said, found: digestOf(lines) }]);
    const [silent] = verifyInline(login(lines.filter((line) => !isDigestLine(line)).join('\n')));
    assert.deepEqual([silent?.block, silent?.digest?.said], ['modified', null]);
  });

  it('without a last line: where the script goes on is not known, and that is said', () => {
    for (const block of [text, older]) {
      const [finding] = verifyInline(login(block.replace(/\/\/ end of certpin.*\n$/, '')));
      assert.deepEqual([finding?.block, finding?.surroundings], ['modified', 'unclear']);
      assert.match(finding?.problems[0]?.reason ?? '', /^the last line of the block is missing/);
    }
  });

  it('never passes for the installed one', () => assert.notEqual(firstLine('pg', version), older.split('\n')[0]));
});

describe('a script that takes the effect of its block away', () => {
  const changed = (name: string): string => `tampered: \`${name}\`, which the block uses, is changed`;
  const cases: readonly (readonly [string, string])[] = [
    ['certpin.pinnedPg = (config) => config;', 'tampered: a function of `certpin` is replaced'],
    ['({ x: certpin.pinnedPg } = {});', 'tampered: a function of `certpin` is replaced'],
    ['[certpin.pinnedPg] = [];', 'tampered: a function of `certpin` is replaced'],
    ['delete certpin.pinnedPg;', 'tampered: a function of `certpin` is replaced'],
    ["certpin['pinnedPg'] = 1;", 'tampered: a function of `certpin` is replaced'],
    ['Object.assign(certpin, { pinnedPg: (c) => c });', 'tampered: a function of `certpin` is replaced'],
    ['const other = certpin; other.pinnedPg = 1;', 'tampered: a function of `certpin` is replaced'],
    ['certpin.pinnedPg.call = fake;', 'tampered: a function of `certpin` is changed'],
    ['callback(certpin);', 'unclear: `certpin` is passed on, and can be changed there'],
    ['if (email) { const certpin = {}; certpin.pinnedPg(); }', 'tampered: `certpin` is declared a second time'],
    ["require('tls').connect = fake;", changed('tls')],
    ["const t = require('node:tls'); t.connect = fake;", changed('tls')],
    ["Object.defineProperty(require('crypto'), 'createHash', {});", changed('crypto')],
    ['Buffer.from = fake;', changed('Buffer')],
    ['global.Buffer = fake;', changed('Buffer')],
    ["globalThis['Object'].freeze = fake;", changed('Object')],
    ['Map.prototype.values = fake;', changed('Map')],
    ['Buffer = fake;', 'tampered: `Buffer`, which the block uses, is replaced'],
    ['require = fake;', 'tampered: `require`, which the block uses, is replaced'],
    ['eval(configuration.CODE);', 'unclear: the use of `eval` is not understood'],
    ['[].__proto__.includes = fake;', 'unclear: the object that is changed here is not known: it may be a prototype'],
    [
      '[].constructor.prototype.includes = fake;',
      'unclear: the object that is changed here is not known: it may be a prototype',
    ],
    ['Object.getPrototypeOf([]).includes = fake;', 'unclear: the use of `Object.getPrototypeOf` is not understood'],
    ['const O = Object; O.freeze = fake;', changed('Object')],
    ['const { prototype: p } = Array; p.includes = fake;', changed('Array')],
    ['RegExp.prototype.exec = fake;', changed('RegExp')],
    ['Promise.prototype.then = fake;', changed('Promise')],
    ["let t; t = require('tls'); t.connect = fake;", changed('tls')],
    ['require(`tls`).connect = fake;', changed('tls')],
    ["const r = require; r('tls').connect = fake;", changed('tls')],
    ["const { r = require('tls') } = {}; r.connect = fake;", changed('tls')],
    ["const all = { tls: require('tls') }; all.tls.connect = fake;", changed('tls')],
    ["const load = () => require('tls'); load().connect = fake;", changed('tls')],
    ["function patch(t) { t.connect = fake; } patch(require('tls'));", changed('tls')],
    ["module.require('tls').connect = fake;", 'unclear: the use of `module.require` is not understood'],
    ["require('module')._load = fake;", changed('module')],
    ["require('events').prototype.emit = fake;", changed('events')],
    ['process.emit = fake;', changed('process')],
    ['Object.assign(global, { Buffer: fake });', changed('Buffer')],
    ["Reflect.set(globalThis, 'Buffer', fake);", changed('Buffer')],
    ["Object['assign'](Buffer, { from: fake });", changed('Buffer')],
    ['const { assign } = Object; assign(Buffer, { from: fake });', changed('Buffer')],
    [
      "Buffer.__defineGetter__('from', fake);",
      'unclear: `__defineGetter__` leads to what every script of the container shares',
    ],
    ['this.Buffer = fake;', changed('Buffer')],
    ['const run = eval;', 'unclear: the use of `eval` is not understood'],
    ['globalThis.eval(configuration.CODE);', 'unclear: the use of `eval` is not understood'],
    ['global.Function(configuration.CODE)();', 'unclear: the use of `Function` is not understood'],
    ['(() => {}).constructor(configuration.CODE)();', 'unclear: the function that is called here is not known'],
    [
      "require('vm').runInThisContext(configuration.CODE);",
      'unclear: the use of `vm.runInThisContext` is not understood',
    ],
    ['import(configuration.CODE);', 'unclear: the module that is imported here is not known'],
    ['global[email] = fake;', 'unclear: a global is changed, and its name is not known'],
    ["require('https').globalAgent.maxSockets = 5;", 'unclear: `https` is changed'],
    [
      'callback(certpin.pinnedPg({}, {})); load((row) => { row.seen = 1; });',
      'unclear: what certpin made may be changed here',
    ],
    [
      'const list = []; list.push(certpin.pinnedPg({}, {})); list[0].ssl = 1;',
      'tampered: what certpin made is changed',
    ],
    [
      'const { pinnedPg: { constructor: make } } = certpin;',
      'unclear: `constructor` leads to what every script of the container shares',
    ],
    ['const \u0441ertpin = {};', 'tampered: a name that looks like `certpin` and is not'],
  ];
  // The short form takes every third of them.
  for (const [rest, expected] of cases.filter((_, index) => isLong || index % 3 === 0)) {
    it(rest, () => {
      const script = login(text, rest);
      assert.ok(reasons(script).includes(expected), reasons(script).join('\n'));
      assert.deepEqual(states(script), [
        `unmodified, ${/tampered/.test(reasons(script).join()) ? 'tampered' : 'unclear'}`,
      ]);
    });
  }

  it('is none that changes what is its own', () => {
    const rest = `class Own { constructor() { this.process = 1; this.run = () => 2; } }
  function Pools() {}
  Pools.prototype.end = () => {};
  const kept = Object.assign({}, configuration, { Buffer: 1 });
  Object.defineProperty(kept, 'x', { value: new Own() });
  global.pools = kept;
  process.exitCode = 0;
  if (kept instanceof Function || typeof callback === 'function') callback(null, new Pools());`;
    assert.deepEqual(reasons(login(text, rest)), []);
  });

  it('is nested so deeply that nobody reads it', () => {
    for (const rest of [`x = ${'1 + '.repeat(20_000)}1;`, `x = a${'.b()'.repeat(4_000)};`, `${'['.repeat(20_000)}`]) {
      assert.deepEqual(states(login(text, rest)), ['unmodified, unclear']);
      assert.deepEqual(reasons(login(text, rest)), ['unclear: the script is nested too deeply to be read']);
    }
  });

  it('declares what the block would use', () => {
    const script = `const require = fake;\n${text}`;
    const own = 'tampered: the script has a `require` of its own, which the block would use';
    assert.ok(reasons(script).includes(own));
    assert.ok(reasons(login(text).replace('email', 'Buffer')).some((one) => one.includes('a `Buffer` of its own')));
  });

  it('keeps the block where it is no code', () => {
    const comment = `/*\n${text.replaceAll('*/', '* /')}*/\nconst certpin = fake;`;
    assert.equal(verifyInline(comment)[0]?.surroundings, 'tampered');
    const quoted = `const text = String.raw\`\n${text.replaceAll('`', "'").replaceAll('${', '$')}\`;\nconst certpin = fake;`;
    assert.equal(verifyInline(quoted)[0]?.surroundings, 'tampered');
    assert.notDeepEqual(states(`/*\n${text}*/ const certpin = fake;`), ['unmodified, intact']);
  });

  it('cannot be read', () => {
    const script = `${login(text)}}`;
    assert.deepEqual(states(script), ['unmodified, unclear']);
    assert.match(reasons(script).join(), /^unclear: the script cannot be read: Unexpected token/);
  });

  it('says the line', () => {
    const script = login(text, 'Buffer.from = fake;');
    const line = script.split('\n').findIndex((one) => one.includes('= fake')) + 1;
    assert.deepEqual(verifyInline(script)[0]?.problems, [
      { state: 'tampered', line, reason: '`Buffer`, which the block uses, is changed' },
    ]);
  });
});
