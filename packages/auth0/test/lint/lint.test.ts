import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isLong } from '@certpin/testkit';
import fc from 'fast-check';
import { codeBlocks } from '../../../../dev/tools/test/markdown.ts';
import { type Finding, type LintResult, lintFiles, lintText, rules, toSarif } from '../../src/lint/index.ts';
import { detectRole } from '../../src/run/detect.ts';
import { readSource } from '../../src/run/source.ts';
import { samples } from './corpus.ts';
import { page, withTable } from './rule-table.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sourcesIn = (folder: string, extension: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith(extension) && !/node_modules|generated|dist\//.test(name));
const collect = async (results: AsyncIterable<LintResult>): Promise<LintResult[]> => {
  const list: LintResult[] = [];
  for await (const result of results) list.push(result);
  return list;
};
const named = (findings: readonly Finding[]): string[] => findings.map(({ line, rule }) => `${line} ${rule}`);

describe("the article's three snippets", () => {
  const [, axios = '', pg = '', mysql = ''] = readFileSync(new URL('article.txt', import.meta.url), 'utf8').split(
    /^=== .*\n/m,
  );

  it('HTTP: the check throws, the chain fails first, a proxy is used, the pin is none', () => {
    assert.deepEqual(named(lintText(axios).findings), [
      '7 require-axios-proxy-false',
      '9 no-dead-check-server-identity',
      '17 no-throw-in-check-server-identity',
      '25 valid-pin',
    ]);
  });
  it('PostgreSQL: the same, and a password in the script', () => {
    assert.deepEqual(named(lintText(pg).findings), [
      '9 no-dead-check-server-identity',
      '17 no-throw-in-check-server-identity',
      '29 no-hardcoded-credentials',
      '32 valid-pin',
    ]);
  });
  it('MySQL: an event that never comes, a module that nobody required', () => {
    assert.deepEqual(named(lintText(mysql).findings), [
      '4 no-dead-modules',
      '11 no-mysql-secure-connect',
      '32 no-hardcoded-credentials',
      '35 valid-pin',
    ]);
  });
});

describe('--fix', () => {
  it('suggests to return in place of throwing, and what was suggested refuses as it should', () => {
    const code =
      'module.exports = { ca, checkServerIdentity(host, cert) { if (cert.raw !== pin) throw new Error("no"); } };';
    const { output, findings } = lintText(code, { fix: true });
    assert.equal(output, undefined);
    const [{ fix, suggestion }] = findings as [Finding];
    assert.equal(fix, undefined);
    assert.match(
      suggestion?.message ?? '',
      /^Write return for throw, and rejectUnauthorized: true beside the check\. /,
    );
    const [start = 0, end = 0] = suggestion?.edit.range ?? [];
    const edited = `${code.slice(0, start)}${suggestion?.edit.text}${code.slice(end)}`;
    const module = { exports: {} as { checkServerIdentity(host: string, cert: { raw: string }): Error | undefined } };
    new Function('module', 'ca', 'pin', edited)(module, 'PEM', 'right');
    assert.equal(module.exports.checkServerIdentity('host', { raw: 'right' }), undefined);
    assert.ok(module.exports.checkServerIdentity('host', { raw: 'wrong' }) instanceof Error);
  });

  it('suggests nothing where what is returned could come to accept: another error, an async function, a try', () => {
    for (const body of [
      '{ throw error; }',
      'async () => { throw new Error() }',
      '{ try { throw new Error() } finally {} }',
    ]) {
      const method = body.startsWith('async')
        ? `checkServerIdentity: ${body}`
        : `checkServerIdentity(host, cert) ${body}`;
      const { output, findings } = lintText(`tls.connect({ ca, ${method} });`, { fix: true });
      assert.equal(output, undefined);
      assert.deepEqual(named(findings), ['1 no-throw-in-check-server-identity']);
      assert.equal(findings[0]?.suggestion, undefined);
    }
  });

  it('suggests nothing where the check is called by hand too: there its exception may be all that counts', () => {
    for (const code of [
      "const check = (host, cert) => { throw new Error('no'); };\ntls.connect({ ca, checkServerIdentity: check });\ncheck(host, cert);",
      "const options = { ca, checkServerIdentity(host, cert) { throw new Error('no'); } };\noptions.checkServerIdentity(host, cert);",
    ]) {
      const { output, findings } = lintText(code, { fix: true });
      assert.equal(output, undefined);
      assert.deepEqual(named(findings), ['1 no-throw-in-check-server-identity']);
      assert.equal(findings[0]?.suggestion, undefined);
    }
  });

  it('writes proxy: false, and leaves the rest of the file as it is', () => {
    const code = (options: string): string =>
      `\uFEFFconst axios = require('axios');\r\nconst { pinnedAgent } = require('certpin/https');\r\naxios.get('https://ü', { maxRedirects: 0, ${options} }); // ü\r\n`;
    const agent = 'httpsAgent: pinnedAgent({ pins })';
    assert.equal(lintText(code(agent), { fix: true }).output, code(`proxy: false, ${agent}`));
  });

  it('repairs every sample to the end: a second round finds nothing to repair', () => {
    const results = samples.map(({ code, path }) => lintText(code, { path, fix: true }));
    assert.ok(results.some(({ output }) => output !== undefined));
    for (const { findings } of results)
      assert.deepEqual(
        findings.filter(({ fix }) => fix !== undefined),
        [],
      );
  });
});

describe('places', () => {
  it('are those of the text, behind markers, in a function without a name', () => {
    const code = 'function (email, callback) {\n  f(@@A@@, ##B##, { rejectUnauthorized: false });\n};\n';
    const [finding] = lintText(code, { rules: ['no-reject-unauthorized-false'] }).findings;
    assert.deepEqual([finding?.line, finding?.column, finding?.endColumn], [2, 21, 46]);
  });

  it('in database.json and tenant.yaml are those of that file', async (t) => {
    const script =
      'function login(email, password, callback) {\n  const a = "\\u00fc", b = { rejectUnauthorized: false };\n}';
    const customScripts = { login: script, create: './create.js' };
    const json = JSON.stringify({ options: { customScripts, configuration: { K: '@@K@@' } } });
    const yaml = `databases:
  - name: users
    options:
      configuration:
        K: @@K@@
      customScripts:
        login: |
${script.replace(/^/gm, '          ')}
`;
    const folder = mkdtempSync(join(tmpdir(), 'certpin-lint-'));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'database.json'), json);
    writeFileSync(join(folder, 'tenant.yaml'), yaml);
    const results = await collect(lintFiles([folder], { rules: ['no-reject-unauthorized-false'] }));
    for (const [index, text] of [json, yaml].entries()) {
      assert.equal(results[index]?.error, undefined);
      const [{ line, column, endColumn }] = (results[index]?.findings ?? []) as [Finding];
      assert.equal(text.split('\n')[line - 1]?.slice(column - 1, endColumn - 1), 'rejectUnauthorized: false');
    }
  });
});

describe('comments that accept a finding', () => {
  const fault = 'f({ rejectUnauthorized: false });';
  const cases: Record<string, string[]> = {
    [`// certpin-lint-disable-next-line no-reject-unauthorized-false -- a test server\n${fault}`]: [],
    [`${fault} // certpin-lint-disable-line no-reject-unauthorized-false`]: [],
    [`// certpin-lint-disable-next-line\n${fault}`]: ['1 unused-disable', '2 no-reject-unauthorized-false'],
    [`// certpin-lint-disable-next-line require-tls\n${fault}`]: ['1 unused-disable', '2 no-reject-unauthorized-false'],
    [`// certpin-lint-disable-next-line no-such-rule, no-reject-unauthorized-false\n${fault}`]: ['1 unused-disable'],
  };
  for (const [code, expected] of Object.entries(cases))
    it(JSON.stringify(code), () => assert.deepEqual(named(lintText(code).findings), expected));
});

describe('files', () => {
  it('in folders: JavaScript and TypeScript, not what is installed or built; each once', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'certpin-lint-'));
    t.after(() => rmSync(folder, { recursive: true }));
    for (const name of ['a.js', 'b/c.mts', 'node_modules/x.js', 'dist/x.js', 'd.d.ts', 'e.txt', '.git/x.js', 'f.tsx']) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), 'export {};');
    }
    const results = await collect(lintFiles([folder, join(folder, 'a.js'), join(folder, 'gone.js')]));
    assert.deepEqual(
      results.map(({ path, error }) => [path.slice(folder.length + 1), error?.message]),
      [
        ['a.js', undefined],
        ['b/c.mts', undefined],
        ['f.tsx', undefined],
        ['gone.js', 'no such file'],
      ],
    );
  });

  it('that are no text or no JavaScript are an error with a place, and the others are linted', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'certpin-lint-'));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'a.js'), Buffer.from([0xff, 0xfe, 0x00]));
    writeFileSync(join(folder, 'b.js'), 'function login(email, {');
    const results = await collect(lintFiles([folder]));
    assert.equal(results[0]?.error?.message, 'not UTF-8: save it as UTF-8');
    assert.equal(results[1]?.error?.line, 1);
  });
});

describe('what is no JavaScript is named in plain words', () => {
  const typescript = [
    'function login(email: string, password: string, callback: Callback): void {\n  callback(null);\n}\n',
    'function (email: string, callback: (e?: Error) => void) {\n  callback();\n}\n',
    'interface Profile { user_id: string }\nfunction getUser(email, callback) { callback(null, email as string); }\n',
    'enum Color { Red }\n',
  ];
  for (const code of typescript)
    it(`TypeScript in a .js file: ${code.split('\n')[0]}`, () => {
      const { error } = lintText(code, { path: 'login.js' });
      assert.match(error?.message ?? '', /^this is TypeScript, but Auth0 accepts only JavaScript: /);
      assert.equal(lintText(code, { path: 'login.ts' }).error, undefined);
    });

  it('JSON under the name of a script, and a text that is nothing', () => {
    const json = JSON.stringify({ name: 'users', strategy: 'auth0' });
    assert.match(
      lintText(json, { path: 'login.js' }).error?.message ?? '',
      /^this is JSON, not a script: name the script/,
    );
    assert.equal(
      lintText('# A title\n', { path: 'readme.md' }).error?.message,
      'this is neither JavaScript nor TypeScript',
    );
    // An object is no script in either language.
    assert.equal(
      lintText('{\n  client_id: "abc",\n  tenant: "x",\n}\n', { path: 'create.js' }).error?.message,
      'Unexpected token',
    );
    // What the parser goes on behind is not taken for what is written.
    assert.notEqual(lintText('resource "auth0_connection" "x" {\n}\n', { path: 'main.tf' }).error, undefined);
  });

  it('a database.json that is named says where its scripts are; within a folder it is passed by', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'certpin-lint-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const paths = { options: { customScripts: { login: './login.js' } } };
    const text = {
      options: { customScripts: { login: 'function login(e, p, callback) {\n  f({ rejectUnauthorized: false });\n}' } },
    };
    for (const [name, content] of Object.entries({
      'database.json': paths,
      'connection.json': text,
      'package.json': {},
    }))
      writeFileSync(join(folder, name), JSON.stringify(content));
    writeFileSync(join(folder, 'broken.json'), '{"name": [}');
    const look = async (name: string): Promise<LintResult | undefined> =>
      (await collect(lintFiles([join(folder, name)])))[0];
    assert.match(
      (await look('database.json'))?.error?.message ?? '',
      /^this file names its scripts by their paths and holds no script: name the folder/,
    );
    assert.deepEqual(named((await look('connection.json'))?.findings ?? []), ['1 no-reject-unauthorized-false']);
    assert.match((await look('package.json'))?.error?.message ?? '', /^this file holds no script of Auth0: /);
    assert.equal((await look('broken.json'))?.error?.message, 'this is not valid JSON');
    assert.deepEqual(
      (await collect(lintFiles([folder]))).map(({ error }) => error),
      [undefined],
    );
  });
});

describe('what a script is for Auth0 is found out as the runner finds it out', () => {
  const rule = 'require-callback-on-failure';
  const script = (head: string): string => `${head} {\n  pool.query(sql, (err, r) => callback(null, r.rows[0]));\n}\n`;
  const scripts: Record<string, string> = {
    'get_user.js': script('function loginByEmail(email, callback)'),
    'change_password.js': script('function (email, newPassword, callback)'),
    'deep/folder/login.js': script('async function authenticate(userNameOrEmail, password, context, callback)'),
    'verify.ts': script('function check(email: string, callback: Callback)'),
    'rules/enrich.js': script('function enrich(user, context, callback)'),
    'x.js': script('const login = (email, password, callback) =>'),
    'y.js': script('function change_password(email, newPassword, callback)'),
    'z.js': script('(userNameOrEmail, password, callback) =>'),
  };
  for (const [path, code] of Object.entries(scripts))
    it(`${path}: ${code.split('\n')[0]}`, () => {
      assert.deepEqual(named(lintText(code, { path, rules: [rule] }).findings), [`2 ${rule}`]);
      if (!path.endsWith('.ts'))
        assert.notEqual(detectRole(readSource({ source: code, fileName: path }, '/')).kind, 'action');
    });

  const others: Record<string, string> = {
    'login.js': `${script('function login(req, res, callback)')}app.post('/login', login);`,
    'verify.js': `${script('function verify(token, callback)')}module.exports = { verify };`,
    'create.js': `import { pool } from './pool.js';\n${script('export function create(user, callback)')}`,
    'delete.js': script('function splice(list, item, index, callback)'),
  };
  for (const [path, code] of Object.entries(others))
    it(`any other program: ${path}: ${code.split('\n')[0]}`, () =>
      assert.deepEqual(lintText(code, { path, rules: [rule] }).findings, []));
});

it('a script that is too large', () => {
  const code = `function login(email, password, callback) {\n  callback(null, '${'ü'.repeat(50_000)}');\n}\n`;
  assert.deepEqual(named(lintText(code, { rules: ['max-script-size'] }).findings), ['1 max-script-size']);
  assert.deepEqual(lintText(code, { rules: ['max-script-size'], script: 'other' }).findings, []);
});

describe("certpin's own block in a script", () => {
  const lines = [
    '// certpin 1.2.3 for pg, inline',
    "const certpin = (() => require('tls').connect({ rejectUnauthorized: false }))();",
    '// end of certpin 1.2.3 for pg',
  ];
  const digest = createHash('sha256')
    .update(`${lines.join('\n')}\n`)
    .digest('hex');
  const block = [lines[0], `// SHA-256 of this block without this line: ${digest}`, ...lines.slice(1)].join('\n');
  const inScript = (text: string): string =>
    `function login(email, password, callback) {\n${text.replace(/^/gm, '  ')}\n  callback(null);\n}\n`;

  it('is passed over where it is whole', () => assert.deepEqual(lintText(inScript(block)).findings, []));
  it('is linted where it was changed', () => {
    assert.deepEqual(named(lintText(inScript(block.replace('require', ' require'))).findings), [
      '4 no-reject-unauthorized-false',
    ]);
  });
});

describe('robustness', () => {
  it('reads every source of this repository, and truncated ones give findings or one error with a place', () => {
    const sources = ['packages', 'dev/testkit', 'dev/tools'].flatMap((folder) => sourcesIn(folder, '.ts'));
    assert.ok(sources.length > 100);
    for (const path of isLong ? sources : sources.filter((_, index) => index % 5 === 0))
      assert.equal(lintText(read(path), { path }).error, undefined, path);
    const some = sources.filter((_, index) => index % 10 === 0).map((path) => ({ path, code: read(path) }));
    fc.assert(
      fc.property(fc.constantFrom(...some, ...samples), fc.nat(20_000), ({ path, code }, end) => {
        const { error } = lintText(code.slice(0, end), { path });
        if (error !== undefined) assert.ok((error.line ?? 0) > 0 && (error.column ?? 0) > 0 && error.message !== '');
      }),
      { numRuns: 100 },
    );
  });

  it('shows no text of the script but names', () => {
    for (const { code, path } of samples.filter(({ rule }) => rule === 'no-hardcoded-credentials'))
      assert.doesNotMatch(JSON.stringify(lintText(code, { path }).findings), /correct-horse|7d1f5c0a/);
  });
});

describe('this repository', () => {
  it('shows in its documentation and examples no fault but marked ones', () => {
    const pages = ['README.md', ...sourcesIn('docs', '.md'), ...sourcesIn('packages', 'README.md')];
    for (const path of pages)
      for (const { language, code, line } of codeBlocks(read(path)))
        if (language === 'js' || language === 'ts')
          assert.deepEqual(named(lintText(code, { path: `x.m${language}` }).findings), [], `${path}:${line}`);
    for (const path of sourcesIn('examples', '.ts'))
      assert.deepEqual(named(lintText(read(path), { path }).findings), [], path);
  });
});

describe('the pages of the rules', () => {
  it('are there, and their list is that of the rules; else run: node --import tsx packages/auth0/test/lint/rule-table.ts', () => {
    const text = readFileSync(page, 'utf8');
    assert.equal(text, withTable(text));
    const pages = sourcesIn('docs/reference/lint', '.md').map((path) => path.slice('docs/reference/lint/'.length, -3));
    assert.deepEqual(pages.sort(), [...rules.map(({ name }) => name), 'unused-disable'].sort());
  });

  for (const { name } of rules) {
    const diffs = codeBlocks(read(`docs/reference/lint/${name}.md`)).filter(({ language }) => language === 'diff');
    for (const [index, { code }] of diffs.entries()) {
      it(`${name}${index > 0 ? ` (${index + 1})` : ''}: finds the lines with -, and not those with +`, () => {
        const take = (sign: '+' | '-'): string =>
          code
            .split('\n')
            .filter((line) => line[0] !== (sign === '+' ? '-' : '+'))
            .map((line) => line.slice(1))
            .join('\n');
        assert.notDeepEqual(lintText(take('-'), { rules: [name] }).findings, []);
        assert.deepEqual(lintText(take('+'), { rules: [name] }).findings, []);
      });
    }
  }
});

it('SARIF 2.1.0: every result has its rule, its level and its place; what could not be read is a notification', () => {
  const results = [...samples.map(({ code, path }) => lintText(code, { path })), lintText('f(', { path: 'a b/ü.js' })];
  const { version, runs } = toSarif(results, '1.2.3') as Sarif;
  const [run] = runs;
  assert.equal(version, '2.1.0');
  assert.equal(runs.length, 1);
  assert.ok(run);
  const ids = run.tool.driver.rules.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(run.results.length, results.flatMap(({ findings }) => findings).length);
  for (const { ruleId, ruleIndex, level, message, locations } of run.results) {
    assert.equal(ids[ruleIndex], ruleId);
    assert.match(level, /^(?:error|warning)$/);
    assert.ok(message.text.length > 0);
    const { artifactLocation, region } = locations[0]?.physicalLocation ?? {};
    assert.match(artifactLocation?.uri ?? '', /^[\w/.-]+$/);
    assert.ok(region && region.startLine >= 1 && region.startColumn >= 1 && region.endLine >= region.startLine);
    assert.ok(region.endLine > region.startLine || region.endColumn >= region.startColumn);
  }
  const [invocation] = run.invocations;
  assert.equal(invocation?.executionSuccessful, false);
  const place = invocation?.toolExecutionNotifications[0]?.locations[0]?.physicalLocation;
  assert.equal(place?.artifactLocation.uri, 'a%20b/%C3%BC.js');
});

interface Sarif {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: readonly Location[];
    }[];
    readonly invocations: readonly {
      readonly executionSuccessful: boolean;
      readonly toolExecutionNotifications: readonly { readonly locations: readonly Location[] }[];
    }[];
  }[];
}

interface Location {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string };
    readonly region?: { startLine: number; startColumn: number; endLine: number; endColumn: number };
  };
}

describe('a source that was written to keep the linter busy', () => {
  it('is linted: pins, conditions behind conditions, headers of blocks', () => {
    const conditions = Array.from({ length: 40 }, (_, index) => `const b${index} = q ? b${index + 1} : b${index + 1};`);
    for (const code of [
      `const pin = '${'ab '.repeat(30_000)}z';`,
      `${conditions.join('\n')}\nconst b40 = true;\nf({ rejectUnauthorized: b0 });`,
      '// certpin 0.0.0 for pg, inline\n'.repeat(10_000),
    ])
      assert.deepEqual(lintText(code), { path: 'script.js', findings: [] });
  });

  it('is an error where it is nested too deeply', () => {
    for (const code of [`x = a${'.b()'.repeat(4_000)};`, '['.repeat(20_000)])
      assert.deepEqual(lintText(code).error, { message: 'it is nested too deeply' });
  });
});
