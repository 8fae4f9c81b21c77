import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { stringify } from 'yaml';
import { createScripts, inlineBlock, type ScriptFile, verifyFile, verifyFiles } from '../../src/index.ts';
import { readHcl } from '../../src/inline/hcl.ts';

const database = { kind: 'database', client: 'pg', userIdPrefix: '' } as const;
const states = (text: string, path: string): string[] =>
  verifyFile(text, path).map(({ block, surroundings }) => `${block}, ${surroundings}`);
const contentOf = (files: readonly ScriptFile[], path: string): string =>
  files.find((file) => file.path === path)?.content ?? '';

const { text: block } = inlineBlock('https');
const script = `function login(email, password, callback) {\n${block.replace(/^(?=.)/gm, '  ')}  callback(null);\n}\n`;
const escaped = (text: string): string => text.replace(/[$%](?=\{)/g, '$&$&');
const shifted = (text: string, by: string): string => text.replace(/^(?=.)/gm, by);

describe('heredocs are read as Terraform reads them', () => {
  it('what `new` writes for Terraform is unmodified, each script of it, on its own line', () => {
    const hcl = contentOf(createScripts({ ...database, layout: 'terraform-heredoc' }), 'users.tf');
    const findings = verifyFile(hcl, 'users.tf');
    assert.equal(findings.length, 7);
    for (const { block: state, surroundings, line } of findings) {
      assert.deepEqual([state, surroundings], ['unmodified', 'intact']);
      assert.match(hcl.split('\n')[line - 1] ?? '', /^\s*\/\/ certpin \S+ for pg, inline$/);
    }
    const action = contentOf(
      createScripts({ kind: 'action', client: 'axios', layout: 'terraform-heredoc' }),
      'users.tf',
    );
    assert.deepEqual(states(action, 'users.tf'), ['unmodified, intact']);
  });

  it('with and without <<-, in CRLF, with a marker of any name, and as a quoted text', () => {
    for (const body of [
      `<<-EOT\n${shifted(escaped(script), '    ')}  EOT`,
      `<<END-1\n${escaped(script)}END-1`,
      `<<-EOT\n${shifted(escaped(script), '\t')}\tEOT`,
      JSON.stringify(escaped(script)),
    ]) {
      const hcl = `resource "auth0_action" "a" {\n  # "one <<X\n  name = "a$\${b}\${upper("}")}"\n  code = ${body}\n}\n`;
      assert.deepEqual(states(hcl, 'a.tf'), ['unmodified, intact'], body.slice(0, 12));
      assert.deepEqual(states(hcl.replaceAll('\n', '\r\n'), 'a.tf'), ['unmodified, intact'], body.slice(0, 12));
    }
  });

  it('what is changed in one is found, on the line of the file', () => {
    const wrong = script.replace('return refusal === undefined || refuse(refusal);', 'return true;');
    const hcl = `locals {\n  code = <<-EOT\n${shifted(escaped(wrong), '    ')}  EOT\n}\n`;
    const [finding] = verifyFile(hcl, 'main.tf');
    assert.equal(finding?.block, 'modified');
    assert.match(hcl.split('\n')[(finding?.difference?.line ?? 0) - 1] ?? '', /return true;/);
    const replaced = script.replace('callback(null);', 'certpin.pinnedAgent = callback;');
    const [judged] = verifyFile(`a = <<-EOT\n${shifted(escaped(replaced), '    ')}  EOT\n`, 'main.tf');
    assert.equal(judged?.surroundings, 'tampered');
  });

  it('a value that Terraform puts in is not known: unclear, in the block modified', () => {
    const outside = `a = <<-EOT\n${shifted(escaped(script).replace('callback(null)', `callback(\${var.x})`), '  ')}EOT\n`;
    const [finding] = verifyFile(outside, 'a.tf');
    assert.deepEqual([finding?.block, finding?.surroundings], ['unmodified', 'unclear']);
    const reasons = finding?.problems.map(({ reason }) => reason) ?? [];
    assert.ok(
      reasons.some((reason) => reason.startsWith('Terraform inserts a value here')),
      reasons.join(),
    );
    const unescaped = `a = <<-EOT\n${shifted(script, '  ')}EOT\n`;
    assert.ok(!states(unescaped, 'a.tf').includes('unmodified, intact'));
  });

  it('what Terraform makes another text of is unclear: in a call, a condition, a `for`', () => {
    const heredoc = `<<EOT\n${escaped(script)}EOT\n`;
    const quoted = JSON.stringify(escaped(script));
    for (const code of [
      `replace(${heredoc}, "refuse(", "ignore(")`,
      `join("", [${heredoc}, "https = 1"])`,
      `(var.x ? ${heredoc} : "")`,
      `var.x ? ${quoted} : ""`,
      `[for one in [${quoted}] : replace(one, "a", "b")][0]`,
      `{ for one in [${quoted}] : "a" => upper(one) }`,
    ])
      assert.deepEqual(states(`a {\n  code = ${code}\n}\n`, 'a.tf'), ['unmodified, unclear'], code.slice(0, 20));
    const plain = `a "b" {\n  for_each = toset(["x"])\n  n = var.x ? 1 : 2\n  scripts = {\n    login = ${quoted},\n    list = [${heredoc}]\n  }\n}\n`;
    assert.deepEqual(states(plain, 'a.tf'), ['unmodified, intact', 'unmodified, intact']);
  });

  it('the texts of .tf.json are evaluated too', () => {
    const json = (text: string): string => JSON.stringify({ resource: { a: { b: { code: text } } } });
    assert.deepEqual(states(json(escaped(script)), 'a.tf.json'), ['unmodified, intact']);
    assert.deepEqual(states(json(`${escaped(script)}/* \${file("x.js")} */\n`), 'a.tf.json'), ['unmodified, unclear']);
  });

  it('a comment is no script', () =>
    assert.deepEqual(states(`/*\na = <<EOT\n${script}EOT\n*/\n# "${block.split('\n')[0]}"`, 'a.tf'), []));

  test('as the program itself, where it is installed', (t) => {
    if (spawnSync('terraform', ['version']).error !== undefined) return t.skip('there is no terraform here');
    // `@` is the dollar sign.
    const hcl = [
      'locals {',
      '  a = <<-X',
      '      function a() {',
      '',
      '        const s = `@@{where}: %%{x} @@@{z} @b %%c @@d`;',
      '  ',
      '\tx',
      '      }',
      '    X',
      '  b = <<X',
      '    plain',
      '  z',
      '    X',
      '  c = <<-X',
      '      a',
      '   ',
      '      b',
      '  X',
      '  d = "a\\nb\\"@@{x}\\u00e9\\\\"',
      '}',
      'output "all" { value = jsonencode([local.a, local.b, local.c, local.d]) }',
      '',
    ]
      .join('\n')
      .replaceAll('@', () => '$');
    const folder = mkdtempSync(join(tmpdir(), 'certpin-terraform-'));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'main.tf'), hcl);
    const options = {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, CHECKPOINT_DISABLE: '1' },
    } as const;
    execFileSync('terraform', ['init', '-no-color'], options);
    execFileSync('terraform', ['apply', '-auto-approve', '-no-color'], options);
    const read = JSON.parse(execFileSync('terraform', ['output', '-raw', 'all'], options)) as string[];
    assert.deepEqual(
      readHcl(hcl)
        .slice(0, 4)
        .map(({ text }) => text),
      read,
    );
  });
});

describe('what the Deploy CLI keeps scripts in', () => {
  const connection = {
    name: 'users',
    strategy: 'auth0',
    options: { customScripts: { login: script, create: './create.js' } },
  };

  it('database.json and tenant.yaml, with markers that are not replaced yet', () => {
    assert.deepEqual(states(JSON.stringify(connection, null, 2), 'database.json'), ['unmodified, intact']);
    const yaml = stringify({ databases: [connection] }, { lineWidth: 0 }).replace(
      'strategy: auth0',
      'strategy: auth0\n    x: @@KEY@@',
    );
    const [finding] = verifyFile(yaml, 'tenant.yaml');
    assert.equal(`${finding?.block}, ${finding?.surroundings}`, 'unmodified, intact');
    assert.match(yaml.split('\n')[(finding?.line ?? 0) - 1] ?? '', /\/\/ certpin \S+ for https, inline$/);
    assert.deepEqual(states('{ "a": ', 'database.json'), []);
  });

  it('what was not read may hold a block', () => {
    const wrong = JSON.stringify(script.replace('refuse(refusal)', 'true'));
    const right = JSON.stringify(script);
    const found = ['unmodified, intact', 'modified, intact'];
    // Unquoted, as the Deploy CLI replaces it: not a comment that goes on to the end of the line.
    for (const marker of ['##PORT##', '@@PORT@@'])
      for (const colon of [':', ': '])
        assert.deepEqual(
          states(`{"a": ${right}, "port"${colon}${marker}, "b": ${wrong}\n, "c": 1}`, 'database.json'),
          found,
          colon + marker,
        );
    for (const [text, path] of [
      [`{"a": ${right}, # "b": ${wrong}}`, 'database.json'],
      [`a: ${right}\n---\nb: ${wrong}\n`, 'tenant.yaml'],
      [`a: ${right}\n...\nb: ${wrong}\n`, 'tenant.yaml'],
    ] as const)
      assert.throws(
        () => verifyFile(text, path),
        /^Error: it is not (?:JSON|YAML), in line \d: its content is not known$/,
      );
  });
});

test('a folder is read as `lint` reads it, and Terraform too', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-verify-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('a/login.js', script);
  write('a/other.ts', 'export {};');
  write('b/main.tf', `a = <<X\n${escaped(script)}X\n`);
  write('b/database.json', JSON.stringify({ options: { customScripts: { login: script } } }));
  write('b/notes.txt', script);
  write('node_modules/x.js', script);
  const found = [];
  for await (const { path, isOfFolder, findings } of verifyFiles([folder, join(folder, 'b/notes.txt')]))
    found.push([path.slice(folder.length + 1), isOfFolder, findings.length]);
  assert.deepEqual(found, [
    ['a/login.js', true, 1],
    ['a/other.ts', true, 0],
    ['b/database.json', true, 1],
    ['b/main.tf', true, 1],
    ['b/notes.txt', false, 1],
  ]);
});
