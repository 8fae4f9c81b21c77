// What a block is as a text: its size, its style, and that a script may be indented, exported and deployed around it.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ParserOptions, parse } from '@babel/parser';
import { ESLint } from 'eslint';
import { type InlineClient, inlineBlock, inlineClients } from '../../src/inline/index.ts';

/** Auth0 takes 100 kB for a script, and no block may take more than a third of it; a block that grows has to be looked at. In bytes. */
const budgets: Record<InlineClient, number> = {
  https: 19_500,
  axios: 23_000,
  fetch: 25_000,
  pg: 29_500,
  mysql2: 33_333,
  mysql: 29_000,
  mariadb: 33_333,
  tedious: 22_000,
  mongodb: 27_000,
  ldapts: 33_333,
};

const sizeOf = (client: InlineClient): number => Buffer.byteLength(inlineBlock(client).text);
const page = fileURLToPath(new URL('../../../../docs/reference/auth0-inline.md', import.meta.url));

describe('the size of a block', () => {
  for (const client of inlineClients) {
    it(`is within its budget: ${client}`, () => {
      assert.ok(sizeOf(client) <= budgets[client], `${sizeOf(client)} bytes; the budget is ${budgets[client]}`);
    });
  }

  it('is in the table of docs/reference/auth0-inline.md', () => {
    const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
    const rows = inlineClients.map((client) => {
      const { text } = inlineBlock(client);
      const [, pinned] = /exports\.(pinned\w+) = /.exec(text) ?? [];
      const code = text.replace(/^\s*\/\/.*\n/gm, '');
      const share = `${Math.round(sizeOf(client) / 1000)} %`;
      const sizes = [kilobytes(sizeOf(client)), kilobytes(Buffer.byteLength(code)), share];
      return `| ${client} | \`${pinned}\` | ${sizes.join(' | ')} |`;
    });
    const before = readFileSync(page, 'utf8');
    const table = /(?<=<!-- sizes -->\n)[\s\S]*?(?=<!-- end of sizes -->)/;
    const head = '| client | function | block | without comments | of the 100 kB |\n|---|---|---|---|---|\n';
    const after = before.replace(table, `${head}${rows.join('\n')}\n`);
    if (after === before) return;
    writeFileSync(page, after);
    assert.fail('the table was another one; it is written, commit it');
  });
});

describe('the text of a block', () => {
  const require = createRequire(import.meta.url);
  const names = [
    'require',
    'module',
    'Buffer',
    'process',
    'setTimeout',
    'clearTimeout',
    'URL',
    'URLSearchParams',
    'fetch',
    'Headers',
  ];
  const eslint = new ESLint({
    overrideConfigFile: true,
    overrideConfig: [
      (require('@eslint/js') as { configs: { recommended: object } }).configs.recommended,
      {
        languageOptions: {
          ecmaVersion: 2022,
          sourceType: 'commonjs',
          globals: Object.fromEntries(names.map((name) => [name, 'readonly' as const])),
        },
      },
    ],
  });

  for (const client of inlineClients) {
    const { text, version, sha256 } = inlineBlock(client);

    it(`passes ESLint's recommended rules: ${client}`, async () => {
      const [result] = await eslint.lintText(`${text}\nmodule.exports = certpin;\n`, { filePath: 'block.js' });
      assert.deepEqual(
        result?.messages.map(({ line, message }) => `${line}: ${message}`),
        [],
      );
    });

    it(`says what it is: ${client}`, () => {
      const lines = text.split('\n');
      assert.equal(lines[0], `// certpin ${version} for ${client}, inline`);
      assert.equal(lines.at(-2), `// end of certpin ${version} for ${client}`);
      assert.equal(lines.at(-1), '');
      assert.match(sha256, /^[0-9a-f]{64}$/);
    });

    it(`can be indented, kept in a Deploy CLI folder and named in the older spelling of modules: ${client}`, () => {
      // Indenting a line within a template literal would change what it says.
      const options = { tokens: true } as ParserOptions;
      const { tokens } = parse(text, options) as unknown as { tokens: { type: { label?: string }; value?: unknown }[] };
      const literals = tokens.filter(({ type }) => /template/i.test(type.label ?? ''));
      assert.ok(literals.length > 5);
      for (const { value } of literals) assert.doesNotMatch(JSON.stringify(value ?? ''), /\\n/);
      assert.doesNotMatch(text, /##|@@/);
      assert.doesNotMatch(text, /require\('node:/);
      assert.doesNotMatch(text, /\t|\r| $/m);
    });

    it(`holds the comments that say why, and no leftover of the bundler: ${client}`, () => {
      assert.match(text, /\/\/ RFC 5746 renegotiation would change the certificate after the verdict/);
      assert.match(text, /\/\/ The ordinary verification must not end the handshake before the pin is checked/);
      assert.doesNotMatch(text, /\/\*|^\s*import |(?<!=== )\btrue \?|if \(!true\)|\.\.\.\[\]|\.\.\.\{\}|\$\{''\}/m);
    });
  }
});
