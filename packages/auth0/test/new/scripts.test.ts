import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { isLong } from '@certpin/testkit';
import { CertpinError } from 'certpin';
import { Linter } from 'eslint';
import { parse } from 'yaml';
import { inlineBlock, verifyInline } from '../../src/index.ts';
import {
  type CreateScriptsOptions,
  createScripts,
  databaseKeys,
  layouts,
  pointsOf,
  type ScriptFile,
  scriptClients,
  scriptKinds,
} from '../../src/new/index.ts';

const PINS = 'AA'.repeat(32);
const place = { host: 'db.example.com', port: 5432, database: 'app', pins: PINS };

/** Every script that can be written. */
const everything: readonly CreateScriptsOptions[] = scriptClients
  .flatMap((client): CreateScriptsOptions[] => [
    ...[false, true].map(
      (context) => ({ kind: 'database', userIdPrefix: 'users|', client, context, keys: databaseKeys }) as const,
    ),
    ...(['action', 'hook'] as const).flatMap((kind) =>
      (['inline', 'npm'] as const).map((form) => ({ kind, client, form, triggers: pointsOf(kind, client) })),
    ),
    { kind: 'rule', client },
  ])
  .filter(({ kind, client }) => pointsOf(kind, client).length > 0);

function scriptsOf(options: CreateScriptsOptions): { readonly name: string; readonly content: string }[] {
  const { kind, client, form = 'inline', context = false } = options;
  return createScripts(options)
    .filter(({ isScript }) => isScript)
    .map(({ path, content }) => ({ name: `${kind}-${client}-${form}-${context}/${path}`, content }));
}

const all = everything.flatMap(scriptsOf);
/** For what takes long. */
const some = isLong ? all : all.filter((_, index) => index % 5 === 0);

/** The library's block is formatted by the one who builds it, and has a digest. */
const withoutBlock = (content: string): string =>
  content.replace(/^( *)\/\/ certpin \S+ for [\s\S]*?\/\/ end of certpin .*$/m, '$1const certpin = {};');

/** Whether a line belongs to the library. */
function blockLines(content: string): (line: number) => boolean {
  const lines = content.split('\n');
  const first = lines.findIndex((line) => /^ *\/\/ certpin \S+ for/.test(line));
  const last = lines.findIndex((line) => /^ *\/\/ end of certpin/.test(line));
  return (line) => first !== -1 && line > first && line <= last + 1;
}

function temporary(t: { after: (work: () => void) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-new-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function write(folder: string, files: readonly { readonly name: string; readonly content: string }[]): void {
  for (const { name, content } of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

test('the formatter would change nothing', (t) => {
  const folder = temporary(t);
  const configuration = {
    ...{ root: true, formatter: { indentStyle: 'space', indentWidth: 2, lineWidth: 100 } },
    javascript: { formatter: { quoteStyle: 'single' } },
  };
  write(folder, [{ name: 'biome.json', content: `${JSON.stringify(configuration, null, 2)}\n` }]);
  write(
    join(folder, 'scripts'),
    all.map(({ name, content }) => ({ name, content: withoutBlock(content) })),
  );
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
  execFileSync(process.execPath, [biome, 'format', `--config-path=${folder}`, join(folder, 'scripts')], {
    stdio: 'pipe',
  });
});

test('no line is wider than 100 columns, comments included', () => {
  for (const { name, content } of all) {
    for (const line of withoutBlock(content).split('\n')) assert.ok(line.length <= 100, `${name}: ${line}`);
  }
});

test('ESLint, recommended: nothing', () => {
  const recommended = (createRequire(import.meta.url)('@eslint/js') as { configs: { recommended: Linter.Config } })
    .configs.recommended;
  const names = (list: string): Record<string, 'readonly'> =>
    Object.fromEntries(list.split(' ').map((name) => [name, 'readonly']));
  const node = names(
    'require console setTimeout clearTimeout setImmediate queueMicrotask AbortSignal AbortController URL URLSearchParams Buffer process global fetch Headers',
  );
  const platform: Record<string, Record<string, 'readonly'>> = {
    database: names('configuration WrongUsernameOrPasswordError ValidationError UnauthorizedError'),
    rule: names('configuration auth0 UnauthorizedError'),
    action: names('exports module'),
    hook: names('exports module ServerError PreUserRegistrationError SendPhoneMessageError'),
  };
  const linter = new Linter();
  for (const { name, content } of some) {
    const [kind = ''] = name.split('-');
    // A bare function is never called in its own file.
    const code = kind === 'database' || kind === 'rule' ? `(${content.trimEnd()})` : content;
    const block = blockLines(code);
    const messages = linter.verify(code, [
      recommended,
      {
        languageOptions: { sourceType: 'commonjs', ecmaVersion: 2022, globals: { ...node, ...platform[kind] } },
        linterOptions: { reportUnusedDisableDirectives: 'error' },
      },
    ]);
    // What the bundler cut away leaves a parameter or two without use behind.
    const found = messages.filter(({ ruleId, line }) => ruleId !== 'no-unused-vars' || !block(line));
    assert.deepEqual(found, [], `${name}: ${found.map(({ line, message }) => `${line}: ${message}`).join('\n')}`);
  }
});

test('each fits into the 100 kB of the platform, with half of it left', () => {
  for (const { name, content } of all) assert.ok(Buffer.byteLength(content) < 51_200, `${name}: ${content.length}`);
});

test('the block in a script is the one of the package, and its surroundings are intact; an Action of the form npm has none', () => {
  for (const { name, content } of some) {
    const [, client = '', form] = name.split(/[-/]/);
    if (form === 'npm') {
      assert.doesNotMatch(content, /SHA-256 of this block/, name);
      assert.match(content, /require\('certpin\/\w+'\)/, name);
      continue;
    }
    const { version } = inlineBlock(client as 'pg');
    assert.deepEqual(
      verifyInline(content).map((found) => ({ ...found, line: 0 })),
      [{ client, version, line: 0, block: 'unmodified', surroundings: 'intact', problems: [] }],
      name,
    );
  }
});

test('a bare function, and nothing beside it', () => {
  for (const { name, content } of all.filter(({ name }) => /^(?:database|rule)/.test(name))) {
    assert.match(content, /^function \w+\([\w, .]+\) \{\n/, name);
    assert.match(content, /\n\}\n$/, name);
    assert.equal(typeof new Function(`return (${content.trimEnd()})`)(), 'function', name);
  }
});

test('nothing that the Deploy CLI would replace, or that would switch a check off', () => {
  for (const { name, content } of all) {
    assert.doesNotMatch(content, /@@\w+@@|##\w+##/, name);
    assert.doesNotMatch(withoutBlock(content), /rejectUnauthorized|checkServerIdentity/, name);
  }
});

test('a Rule and a Hook say in their first lines that the platform ended them', () => {
  for (const { name, content } of all.filter(({ name }) => /^(?:rule|hook)/.test(name))) {
    assert.match(
      content.slice(0, 500).replace(/\s+(?:\/\/ )?/g, ' '),
      /Auth0 ended Rules and Hooks on 18 November 2026/,
      name,
    );
  }
});

test('the versions of packages: vetted ones by name, dependencies apart, both as the options say', () => {
  const login = (options: Partial<CreateScriptsOptions>): string =>
    createScripts({ kind: 'database', userIdPrefix: 'users|', client: 'pg', keys: ['login'], ...options })[0]
      ?.content ?? '';
  assert.match(login({}), /require\('pg@8\.11\.3'\)[\s\S]*|/);
  assert.match(login({}), /require\('bcryptjs@2\.4\.3'\)/);
  assert.match(login({ bcrypt: 'bcrypt', modules: { bcrypt: '5.1.1', pg: '' } }), /require\('bcrypt@5\.1\.1'\)/);
  assert.match(login({ modules: { pg: '' } }), /require\('pg'\)/);
  const [, action] = createScripts({
    ...{ kind: 'action', client: 'mysql2', form: 'npm', layout: 'deploy-cli' },
    modules: { mysql2: '3.9.7' },
  });
  assert.match(action?.content ?? '', /require\('mysql2'\)/);
  const [{ content }] = createScripts({
    ...{ kind: 'action', client: 'mysql2', form: 'npm', layout: 'deploy-cli' },
    modules: { mysql2: '3.9.7' },
  }) as [ScriptFile];
  assert.deepEqual(JSON.parse(content).dependencies, [
    { name: 'mysql2', version: '3.9.7' },
    { name: 'certpin', version: inlineBlock('mysql2').version },
  ]);
});

/** What a0deploy does to a file: `"@@KEY@@"` becomes JSON, `##KEY##` the text. */
function replaceKeywords(text: string, mappings: Record<string, string>): string {
  return Object.entries(mappings).reduce(
    (result, [key, value]) =>
      result
        .replace(new RegExp(`"@@${key}@@"|@@${key}@@`, 'g'), () => JSON.stringify(value))
        .replace(new RegExp(`##${key}##`, 'g'), () => value),
    text,
  );
}

const mappings = {
  DB_USER: 'app',
  DB_PASSWORD: 'a "quoted" \\ $& password',
  API_URL: 'https://x',
  API_KEY: "k'",
  API_PINS: PINS,
};
const byPath = (files: readonly ScriptFile[]): Record<string, string> =>
  Object.fromEntries(files.map(({ path, content }) => [path, content]));
const configuration = {
  ...{ DB_HOST: 'db.example.com', DB_PORT: '5432', DB_NAME: 'app', DB_PINS: PINS },
  ...{ DB_USER: mappings.DB_USER, DB_PASSWORD: mappings.DB_PASSWORD },
};

test('the directory format of the Deploy CLI, read back as it reads it', () => {
  const files = byPath(
    createScripts({
      kind: 'database',
      userIdPrefix: 'users|',
      client: 'pg',
      layout: 'deploy-cli',
      context: true,
      ...place,
    }),
  );
  const folder = 'database-connections/users';
  const { customScripts, ...options } = JSON.parse(
    replaceKeywords(files[`${folder}/database.json`] ?? '', mappings),
  ).options;
  assert.deepEqual(options, {
    ...{ enabledDatabaseCustomization: true, import_mode: false, enable_script_context: true, configuration },
  });
  assert.deepEqual(Object.keys(customScripts), databaseKeys.slice(0, 7));
  for (const [key, path] of Object.entries(customScripts as Record<string, string>)) {
    assert.match(files[join(folder, path)] ?? '', /^function /, key);
  }
  const actions = byPath(
    createScripts({ kind: 'action', client: 'axios', layout: 'deploy-cli', triggers: ['post-login'], name: 'api' }),
  );
  const action = JSON.parse(replaceKeywords(actions['actions/api-post-login.json'] ?? '', mappings));
  assert.deepEqual(action.supported_triggers, [{ id: 'post-login', version: 'v3' }]);
  assert.deepEqual(action.secrets, [
    { name: 'API_URL', value: 'https://x' },
    { name: 'API_KEY', value: "k'" },
    { name: 'API_PINS', value: PINS },
  ]);
  assert.match(actions[action.code.slice(2)] ?? '', /exports\.onExecutePostLogin/);
});

test('the YAML format of the Deploy CLI, which knows the two newer keys too', () => {
  const keys = ['login', 'change_username'] as const;
  const files = byPath(
    createScripts({
      kind: 'database',
      userIdPrefix: 'users|',
      client: 'pg',
      layout: 'deploy-cli-yaml',
      keys,
      ...place,
    }),
  );
  const { databases } = parse(replaceKeywords(files['tenant.yaml'] ?? '', mappings));
  assert.equal(databases.length, 1);
  assert.deepEqual(databases[0].options.configuration, configuration);
  for (const key of keys) assert.match(files[databases[0].options.customScripts[key].slice(2)] ?? '', /^function /);
  const actions = byPath(createScripts({ kind: 'action', client: 'fetch', layout: 'deploy-cli-yaml' }));
  const [action] = parse(replaceKeywords(actions['tenant.yaml'] ?? '', mappings)).actions;
  assert.match(actions[action.code.slice(2)] ?? '', /exports\.onExecutePostLogin/);
  assert.deepEqual(action.dependencies, []);
});

test('Terraform: scripts in files, or in heredocs in which nothing is evaluated', () => {
  const files = byPath(
    createScripts({
      kind: 'database',
      userIdPrefix: 'users|',
      client: 'pg',
      layout: 'terraform',
      ...place,
      name: 'my-users',
    }),
  );
  const { 'my-users.tf': hcl = '', 'versions.tf': versions = '', ...scripts } = files;
  assert.match(versions, /source {2}= "auth0\/auth0"/);
  const paths = [...hcl.matchAll(/file\("\$\{path\.module\}\/([^"]+)"\)/g)].map(([, path]) => path);
  assert.deepEqual(paths, Object.keys(scripts));
  assert.match(hcl, /variable "my_users_db_password" \{\n {2}type {6}= string\n {2}sensitive = true\n\}/);
  assert.match(hcl, /DB_PASSWORD = var\.my_users_db_password/);
  assert.match(hcl, /DB_HOST {5}= "db\.example\.com"/);
  const [heredoc] = createScripts({ kind: 'action', client: 'pg', layout: 'terraform-heredoc' });
  const [plain] = createScripts({ kind: 'action', client: 'pg' });
  const inside = /<<-SCRIPT\n([\s\S]*?)\n {2}SCRIPT|<<-SCRIPT\n([\s\S]*?)\nSCRIPT/.exec(heredoc?.content ?? '');
  const text = (inside?.[1] ?? inside?.[2] ?? '').replace(/^ {4}/gm, '');
  assert.doesNotMatch(text.replaceAll('$${', '').replaceAll('%%{', ''), /[$%]\{/);
  assert.equal(text.replaceAll('$${', '${').replaceAll('%%{', '%{').trimEnd(), plain?.content.trimEnd());
});

test('plain files: the settings beside them, and no password in any layout', () => {
  const files = byPath(
    createScripts({ kind: 'database', userIdPrefix: 'users|', client: 'pg', keys: ['login'], ...place }),
  );
  assert.deepEqual(JSON.parse(files['configuration.json'] ?? ''), { ...configuration, DB_USER: '', DB_PASSWORD: '' });
  for (const layout of layouts) {
    const text = createScripts({ kind: 'database', userIdPrefix: 'users|', client: 'pg', layout, ...place })
      .filter(({ isScript }) => !isScript)
      .map(({ content }) => content.replace(/<<-SCRIPT[\s\S]*?\n\s*SCRIPT/g, ''))
      .join('\n');
    assert.match(text, /DB_PASSWORD"?\s*[:=] *(?:""|"@@DB_PASSWORD@@"|var\.users_db_password)/, layout);
  }
});

test('pins are checked and written in one line', () => {
  const pins = `# today's\n${'AA:'.repeat(31)}AA\n# the next one\n${'bb'.repeat(32)}`;
  const files = byPath(createScripts({ kind: 'rule', client: 'fetch', pins, url: 'https://api.example.com/v1/' }));
  assert.deepEqual(JSON.parse(files['configuration.json'] ?? ''), {
    ...{ API_URL: 'https://api.example.com/v1', API_KEY: '', API_PINS: `${'AA'.repeat(32)} ${'BB'.repeat(32)}` },
  });
});

test('what cannot be written is refused', () => {
  const refused = (options: object, message: RegExp): void => {
    assert.throws(
      () =>
        createScripts({ kind: 'database', userIdPrefix: 'users|', client: 'pg', ...options } as CreateScriptsOptions),
      (error) => error instanceof CertpinError && message.test(error.message),
    );
  };
  refused({ kind: 'databases' }, /`kind` must be one of database, action, rule, hook/);
  refused({ client: 'oracle' }, /`client` must be one of/);
  refused({ keys: ['signup'] }, /`keys` must be one of login/);
  refused({ keys: [] }, /no script is asked for/);
  refused({ key: 'login' }, /there is no option `key`/);
  refused({ form: 'npm' }, /its own list of packages only/);
  refused({ kind: 'rule', form: 'npm' }, /its own list of packages only/);
  refused({ kind: 'rule', layout: 'terraform' }, /ended Rules and Hooks/);
  refused({ kind: 'action', triggers: ['send-phone-message'] }, /`triggers` must be one of/);
  refused({ kind: 'action', context: true }, /for the scripts of a database/);
  refused({ triggers: ['post-login'] }, /for Actions and Hooks/);
  refused({ layout: 'deploy-cli', keys: ['change_username'] }, /does not know change_username: use YAML/);
  refused({ pins: 'AA' }, /pin/);
  refused({ name: '../users' }, /letters, digits and hyphens/);
  refused({ modules: { pg: "8'); evil('" } }, /version of pg/);
  refused({ client: 'axios', url: 'http://api.example.com' }, /https:/);
  refused({ client: 'axios', url: 'https://me:secret@api.example.com' }, /no user, no password/);
  refused({ client: 'axios', url: 'https://tenant.eu.auth0.com/api/v2' }, /cannot be pinned/);
  assert.deepEqual(scriptKinds.length, 4);
});

test('the script in the documentation is the one that is written', () => {
  const page = readFileSync(new URL('../../../../docs/reference/auth0.md', import.meta.url), 'utf8');
  const flow = /```javascript\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  assert.ok(flow.length > 100);
  const [{ content }] = createScripts({ kind: 'database', userIdPrefix: 'users|', client: 'pg', keys: ['login'] }) as [
    ScriptFile,
  ];
  assert.ok(content.replace(/^ {2}/gm, '').includes(flow), 'the page shows another login');
});
