// The only rule by which the text of a block differs from its source. It must remove nothing except comments.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { withoutDocstrings } from '../docstrings.mjs';

/** The tokens of a program, without comments. It is parsed, because a scanner alone knows neither templates nor regular expressions. */
function tokensOf(code: string): string[] {
  const source = ts.createSourceFile('module.js', code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const tokens: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source);
    if (children.length === 0) tokens.push(node.getText(source));
    else children.forEach(visit);
  };
  visit(source);
  return tokens;
}

describe('docstrings', () => {
  it('are taken from declarations of a module, and from members of a class', () => {
    const code = '/** one */\nconst a = 1;\n\n/**\n * two\n */\nexport class B {\n  /** three */\n  c() {}\n}\n';
    assert.equal(withoutDocstrings(code), 'const a = 1;\n\nexport class B {\n  c() {}\n}\n');
  });

  it('are no other comment: those that say why stay', () => {
    const code =
      '// why\n/* why */\nconst a = () => {\n  /** inside */\n  // why\n  return 1; /** behind */\n}; /** behind */\n';
    assert.equal(withoutDocstrings(code), code);
  });

  it('are no text that looks like one', () => {
    const code =
      'const a = `\n/** in a template */\n$' +
      '{`/** deeper */`}`;\nconst b = "/** in a string */";\nconst c = /\\/** x *\\//;\n';
    assert.equal(withoutDocstrings(code), code);
    const behind = 'const a = 1; /** behind */ const b = 2;\n/** before */ const c = 3;\n';
    assert.equal(withoutDocstrings(behind), 'const a = 1; /** behind */ const b = 2;\nconst c = 3;\n');
  });

  it('are all that the modules of the blocks lose', () => {
    const build = fileURLToPath(new URL('../../../packages/certpin/build', import.meta.url));
    const files = readdirSync(build, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
    assert.ok(files.length > 50);
    for (const file of files) {
      const code = readFileSync(join(build, file), 'utf8');
      assert.deepEqual(tokensOf(withoutDocstrings(code)), tokensOf(code), file);
    }
  });
});
