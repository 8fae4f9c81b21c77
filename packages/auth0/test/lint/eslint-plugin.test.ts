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
  return messages.map(({ line, column, endLine, endColumn, ruleId, message, fix, suggestions = [] }) => {
    assert.ok(ruleId !== null, `${filename}: ${message}\n${code}`);
    const edits = suggestions.flatMap(({ desc, fix }) => [desc, ...fix.range]);
    return [`${line}:${column}-${endLine}:${endColumn}`, ruleId, message, ...(fix?.range ?? []), ...edits].join(' ');
  });
}

it('in ESLint the rules find what they find in our own host, in the same places, with the same repairs', () => {
  const inJavaScript = samples.filter(({ path }) => path.endsWith('.js'));
  assert.ok(inJavaScript.length > 60);
  for (const { rule, title, path, code } of inJavaScript) {
    const ours = lintText(code, { path }).findings.map(
      ({ line, column, endLine, endColumn, rule, message, instead, fix, suggestion }) =>
        [
          `${line}:${column}-${endLine}:${endColumn}`,
          `certpin/${rule}`,
          `${message} ${instead}`,
          ...(fix?.range ?? []),
          ...(suggestion === undefined ? [] : [suggestion.message, ...suggestion.edit.range]),
        ].join(' '),
    );
    assert.deepEqual(eslint(code, path).sort(), ours.sort(), `${rule}: ${title}`);
  }
});

it('the processor repairs, and suggests, in the right place, in a function without a name', () => {
  const request =
    "require('axios').get('https://x', { maxRedirects: 0, httpsAgent: require('certpin/https').pinnedAgent(@@PINS@@) })";
  const code = `function (user, context, callback) { ${request}; require('axios').create({ httpsAgent }); callback(null); }\n`;
  const config = {
    files: ['**/*.js'],
    plugins: { certpin },
    processor: 'certpin/script',
    rules: plugin.configs.recommended.rules,
  };
  const [message, suggested] = linter.verify(code, [config], { filename: 'rules/a.js' });
  assert.equal(code.slice((message?.column ?? 0) - 1, (message?.column ?? 0) + 9), 'httpsAgent');
  const [start = 0] = suggested?.suggestions?.[0]?.fix.range ?? [];
  assert.equal(code.slice(start), 'httpsAgent }); callback(null); }\n');
  const { output } = linter.verifyAndFix(code, [config], { filename: 'rules/a.js' });
  assert.equal(output, code.replace('httpsAgent:', 'proxy: false, httpsAgent:'));
});
