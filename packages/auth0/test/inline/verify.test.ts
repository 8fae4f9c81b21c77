import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestLine, digestOf, firstLine, isDigestLine } from '../../src/inline/header.ts';
import { type InlineFinding, inlineBlock, inlineClients, verifyInline } from '../../src/inline/index.ts';

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

const verdicts = (script: string): string[] => verifyInline(script).map(({ verdict }) => verdict);
const problems = (script: string): string[] =>
  verifyInline(script).map((finding) => ('problem' in finding ? finding.problem : finding.verdict));

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
        assert.deepEqual(verdicts(script), ['unmodified']);
    });
  }

  it('with what a login does around it, markers of the Deploy CLI among it', () => {
    const rest = `const { findCertpinError } = certpin; const n = @@LIMIT@@; process.env.X = '##Y##'; global.pins = [, n];`;
    assert.deepEqual(verifyInline(login(text, rest)), [{ verdict: 'unmodified', client: 'pg', version, line: 2 }]);
  });

  it('beside another one, each in its own scope', () => {
    const [pg, https] = [text, inlineBlock('https').text].map(
      (block) => `{\n${block}\ncertpin.findCertpinError(1);\n}`,
    );
    assert.deepEqual(verdicts(`${pg}\n${https}`), ['unmodified', 'unmodified']);
  });

  it('where there is none, nothing is found', () => assert.deepEqual(verifyInline('function login() {}'), []));
});

describe('a modified block', () => {
  const place = (script: string): unknown =>
    verifyInline(script).find(
      (finding): finding is InlineFinding & { verdict: 'modified' } => finding.verdict === 'modified',
    )?.difference;

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
    const middle = lines.findIndex((line) => line.includes('function verify('));
    const [before, line, after] = [lines.slice(0, middle), lines[middle] ?? '', lines.slice(middle + 1)];
    for (const replaced of [
      [...before, `  ${line}`, ...after],
      [...before, `${line} `, ...after],
      [...before, ...after],
      [...before, line, '// added', ...after],
      before,
    ])
      assert.equal(verdicts(login(replaced.join('\n')))[0], 'modified');
  });

  it('is one that says another digest, or none, and one of a client that there is not', () => {
    const another = text.split('\n').map((line) => (isDigestLine(line) ? digestLine('0'.repeat(64)) : line));
    assert.equal(verdicts(another.join('\n'))[0], 'modified');
    assert.equal(verdicts(another.filter((line) => !isDigestLine(line)).join('\n'))[0], 'modified');
    assert.equal(verdicts(text.replaceAll(' for pg', ' for oracle'))[0], 'modified');
  });

  it('is found byte by byte', () => {
    // The digest line is looked at too; one byte of every line is enough for this.
    const lines = text.trimEnd().split('\n');
    for (const [index, line] of lines.entries()) {
      if (line.trim() === '') continue;
      const other = `${line.slice(0, -1)}${line.endsWith('x') ? 'y' : 'x'}`;
      const changed = [...lines.slice(0, index), other, ...lines.slice(index + 1)].join('\n');
      const found = verifyInline(changed);
      assert.ok(!found.some(({ verdict }) => verdict === 'unmodified' || verdict === 'unknown-version'), line);
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
    assert.deepEqual(verdicts(login(withDigest(older))), ['unknown-version']));

  it('is modified where it is not, or where its end is missing', () => {
    assert.deepEqual(verdicts(login(older)), ['modified']);
    const cut = withDigest(older.trimEnd().split('\n').slice(0, -1).join('\n'));
    assert.deepEqual(verdicts(cut), ['modified']);
  });

  it('never passes for the installed one', () => assert.notEqual(firstLine('pg', version), older.split('\n')[0]));
});

describe('a script that takes the effect of its block away', () => {
  const cases: readonly (readonly [string, string | RegExp])[] = [
    ['certpin.pinnedPg = (config) => config;', 'a function of `certpin` is replaced'],
    ['({ x: certpin.pinnedPg } = {});', 'a function of `certpin` is replaced'],
    ['[certpin.pinnedPg] = [];', 'a function of `certpin` is replaced'],
    ['delete certpin.pinnedPg;', 'a function of `certpin` is replaced'],
    ["certpin['pinnedPg'] = 1;", '`certpin` is handed on, and can be changed there'],
    ['Object.assign(certpin, { pinnedPg: (c) => c });', '`certpin` is handed on, and can be changed there'],
    ['const other = certpin;', '`certpin` is handed on, and can be changed there'],
    ['if (email) { const certpin = {}; certpin.pinnedPg(); }', '`certpin` is declared a second time'],
    ["require('tls').connect = fake;", '`tls`, which the block uses, is changed'],
    ["const t = require('node:tls'); t.connect = fake;", '`tls`, which the block uses, is changed'],
    ["Object.defineProperty(require('crypto'), 'createHash', {});", '`crypto`, which the block uses, is changed'],
    ['Buffer.from = fake;', '`Buffer`, which the block uses, is changed'],
    ['global.Buffer = fake;', '`Buffer`, which the block uses, is changed'],
    ["globalThis['Object'].freeze = fake;", '`Object`, which the block uses, is changed'],
    ['Map.prototype.values = fake;', '`Map`, which the block uses, is changed'],
    ['Buffer = fake;', '`Buffer`, which the block uses, is replaced'],
    ['require = fake;', '`require`, which the block uses, is replaced'],
    ['eval(configuration.CODE);', /^text is run as code here/],
    ['[].__proto__.includes = fake;', 'a prototype, which the block uses, is changed'],
    ['[].constructor.prototype.includes = fake;', 'a prototype, which the block uses, is changed'],
    ['Object.getPrototypeOf([]).includes = fake;', 'a prototype, which the block uses, is changed'],
    ['const O = Object; O.freeze = fake;', '`Object`, which the block uses, is changed'],
    ['const { prototype: p } = Array; p.includes = fake;', '`Array`, which the block uses, is changed'],
    ['RegExp.prototype.exec = fake;', '`RegExp`, which the block uses, is changed'],
    ['Promise.prototype.then = fake;', '`Promise`, which the block uses, is changed'],
    ["let t; t = require('tls'); t.connect = fake;", '`tls`, which the block uses, is changed'],
    ['require(`tls`).connect = fake;', '`tls`, which the block uses, is changed'],
    ["const r = require; r('tls').connect = fake;", '`tls`, which the block uses, is changed'],
    ["module.require('tls').connect = fake;", '`tls`, which the block uses, is changed'],
    ["require('module')._load = fake;", '`module`, which the block uses, is changed'],
    ["require('events').prototype.emit = fake;", '`events`, which the block uses, is changed'],
    ['process.emit = fake;', '`process`, which the block uses, is changed'],
    ['Object.assign(global, { Buffer: fake });', '`Buffer`, which the block uses, is changed'],
    ["Reflect.set(globalThis, 'Buffer', fake);", '`Buffer`, which the block uses, is changed'],
    ["Object['assign'](Buffer, { from: fake });", '`Buffer`, which the block uses, is changed'],
    ['const { assign } = Object; assign(Buffer, { from: fake });', '`Buffer`, which the block uses, is changed'],
    ["Buffer.__defineGetter__('from', fake);", '`Buffer`, which the block uses, is changed'],
    ['this.Buffer = fake;', '`Buffer`, which the block uses, is changed'],
    ['(0, eval)(configuration.CODE);', /^text is run as code here/],
    ['const run = eval;', /^text is run as code here/],
    ['globalThis.eval(configuration.CODE);', /^text is run as code here/],
    ['global.Function(configuration.CODE)();', /^text is run as code here/],
    ['(() => {}).constructor(configuration.CODE)();', /^text is run as code here/],
    ["require('vm').runInThisContext(configuration.CODE);", /^text is run as code here/],
    ['import(configuration.CODE);', /^text is run as code here/],
    ['certpin.pinnedPg.call = fake;', 'a function of `certpin` is replaced'],
    ['const \u0441ertpin = {};', 'a name that looks like `certpin` and is another one'],
    ['new Function(configuration.CODE)();', /^text is run as code here/],
  ];
  for (const [rest, problem] of cases) {
    it(rest, () => {
      const found = problems(login(text, rest));
      assert.ok(
        found.some((one) => (typeof problem === 'string' ? one === problem : problem.test(one))),
        found.join(),
      );
    });
  }

  it('is none that changes what is its own', () => {
    const rest = `class Own { constructor() { this.process = 1; this.constructor(); } }
  function Pools() {}
  Pools.prototype.end = () => {};
  const kept = Object.assign({}, configuration, { Buffer: 1 });
  Object.defineProperty(kept, 'x', { value: 1 });
  global.pools = kept;
  process.exitCode = 0;
  require('https').globalAgent.maxSockets = 5;
  const own = require('./own'); own.from = 1;
  if (kept instanceof Function || typeof callback === 'function') Function.prototype.toString.call(kept);`;
    assert.deepEqual(problems(login(text, rest)), ['unmodified']);
  });

  it('is nested so deeply that nobody reads it', () => {
    for (const rest of [`x = ${'1 + '.repeat(20_000)}1;`, `x = a${'.b()'.repeat(4_000)};`, `${'['.repeat(20_000)}`])
      assert.deepEqual(problems(login(text, rest)), ['unmodified', 'it is nested too deeply']);
  });

  it('declares what the block would use', () => {
    const script = `const require = fake;\n${text}`;
    assert.ok(problems(script).includes('the script has a `require` of its own, which the block would use'));
    assert.ok(problems(login(text).replace('email', 'Buffer')).some((one) => one.includes('a `Buffer` of its own')));
  });

  it('keeps the block where it is no code', () => {
    assert.ok(verdicts(`/*\n${text.replaceAll('*/', '* /')}*/\nconst certpin = fake;`).includes('tampered'));
    const quoted = `const text = String.raw\`\n${text.replaceAll('`', "'").replaceAll('${', '$')}\`;\nconst certpin = fake;`;
    assert.ok(verdicts(quoted).includes('tampered'));
    assert.ok(!verdicts(`/*\n${text}*/ const certpin = fake;`).every((verdict) => verdict === 'unmodified'));
  });

  it('cannot be read', () => {
    assert.deepEqual(verdicts(`${login(text)}}`), ['unmodified', 'unreadable']);
  });
});
