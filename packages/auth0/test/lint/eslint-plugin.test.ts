import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type ESLint, Linter } from 'eslint';
import { plugin } from '../../src/lint/eslint-plugin.ts';
import { lintText } from '../../src/lint/index.ts';
import { samples } from './corpus.ts';

// ESLint's own type of a plugin: whoever configures it in TypeScript needs no cast.
const certpin: ESLint.Plugin = plugin as unknown as ESLint.Plugin;
const linter = new Linter();

/** As CommonJS; as a module, where CommonJS cannot be. */
function eslint(code: string, filename: string): string[] {
  const [first = [], second = []] = (['commonjs', 'module'] as const).map((sourceType) =>
    linter.verify(
      code,
      [
        {
          files: ['**/*.js'],
          plugins: { certpin },
          processor: 'certpin/script',
          rules: plugin.configs.recommended.rules,
          languageOptions: { sourceType },
        },
      ],
      { filename },
    ),
  );
  const messages = first.some(({ fatal }) => fatal) ? second : first;
  return messages.map(({ line, column, endLine, endColumn, ruleId, message, fix }) => {
    assert.ok(ruleId !== null, `${filename}: ${message}\n${code}`);
    return [`${line}:${column}-${endLine}:${endColumn}`, ruleId, message, ...(fix?.range ?? [])].join(' ');
  });
}

it('in ESLint the rules find what they find in our own host, in the same places, with the same repairs', () => {
  const inJavaScript = samples.filter(({ path }) => path.endsWith('.js'));
  assert.ok(inJavaScript.length > 60);
  for (const { rule, title, path, code } of inJavaScript) {
    const ours = lintText(code, { path }).findings.map(
      ({ line, column, endLine, endColumn, rule, message, instead, fix }) =>
        [
          `${line}:${column}-${endLine}:${endColumn}`,
          `certpin/${rule}`,
          `${message} ${instead}`,
          ...(fix?.range ?? []),
        ].join(' '),
    );
    assert.deepEqual(eslint(code, path).sort(), ours.sort(), `${rule}: ${title}`);
  }
});

it('the processor repairs in the right place, in a function without a name', () => {
  const code =
    "function (user, context, callback) { require('axios').create({ httpsAgent, key: @@KEY@@ }); callback(null); }\n";
  const config = {
    files: ['**/*.js'],
    plugins: { certpin },
    processor: 'certpin/script',
    rules: plugin.configs.recommended.rules,
  };
  const [message] = linter.verify(code, [config], { filename: 'rules/a.js' });
  assert.equal(code.slice((message?.column ?? 0) - 1, (message?.endColumn ?? 0) - 1), 'httpsAgent');
  const { output } = linter.verifyAndFix(code, [config], { filename: 'rules/a.js' });
  assert.equal(output, code.replace('{ httpsAgent', '{ proxy: false, httpsAgent'));
});
