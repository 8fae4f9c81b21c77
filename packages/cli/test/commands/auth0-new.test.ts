import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { databaseKeys, layouts, scriptClients, scriptKinds } from '@certpin/auth0';
import { certificateHex, mint } from '@certpin/testkit';
import { startSlapd } from '@certpin/testkit/ldap';
import { choices } from '../../src/auth0/new-flags.ts';
import { writeFiles } from '../../src/auth0/write-files.ts';
import type { Questions } from '../../src/io.ts';
import { startServer } from '../peers.ts';
import { certpin, PASSWORD, transcript } from '../transcript.ts';

const PINS = 'AA'.repeat(32);

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-auth0-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? (readdirSync(folder, { recursive: true, withFileTypes: true }) as { isFile: () => boolean; name: string }[])
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
        .sort()
    : [];

test('the choices of the options are those of the library', () => {
  assert.deepEqual(choices, { kind: [...scriptKinds], client: [...scriptClients], layout: [...layouts] });
});

test('--from: the fingerprint is fetched, and stands in the settings; nothing of the target is sent or shown', async (t) => {
  const folder = temporary(t);
  const certificate = await mint({ subject: 'CN=api', validToDays: 90 });
  const server = await startServer(t, certificate);
  const names = {
    DIR: folder,
    PORT: server.port,
    HEX: certificateHex(certificate),
    UNTIL: new Date(certificate.x509.validTo).toISOString().slice(0, 10),
    PASS: PASSWORD,
  };
  assert.equal(
    await transcript('auth0 new --kind action --from https://me:PASS@127.0.0.1:PORT/v1/ --output DIR', names),
    `wrote 2 files
  DIR/post-login.js
  DIR/secrets.json

fingerprint HEX
  of https://127.0.0.1:PORT, CN=api, valid to UNTIL
  as presented just now: compare with the server's own certificate file, or its operator, before you pin it

next
  1. put API_KEY into the environment
  2. run it on your machine: certpin auth0 run DIR/post-login.js --secrets-file DIR/secrets.json --secret API_KEY
  3. see that a wrong server gets nothing: certpin auth0 prove DIR/post-login.js --secrets-file DIR/secrets.json --secret API_KEY
  4. deploy: paste it into Actions > Library, add its dependencies and secrets, bind it to its trigger
exit 0`,
  );
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')), {
    ...{ API_URL: `https://127.0.0.1:${server.port}/v1`, API_KEY: '', API_PINS: certificateHex(certificate) },
  });
  assert.equal(server.received(), 0);
  for (const name of filesIn(folder)) assert.ok(!readFileSync(join(folder, name), 'utf8').includes(PASSWORD));
});

for (const [from, url] of [
  ['ldaps://me:PASS@127.0.0.1:LDAPS/o=users', 'ldaps://127.0.0.1:LDAPS'],
  ['ldap://me:PASS@127.0.0.1:LDAP/o=users', 'ldap://127.0.0.1:LDAP'],
] as const)
  test(`a directory, asked with StartTLS or without: ${from}`, async (t) => {
    const folder = temporary(t);
    const certificate = await mint({ subject: 'CN=ldap' });
    const slapd = await startSlapd(certificate);
    t.after(() => slapd.stop());
    const names = { DIR: folder, LDAPS: slapd.ports.ldaps, LDAP: slapd.ports.ldap, PASS: PASSWORD };
    const text = await transcript(`auth0 new --kind action --from ${from} --output DIR`, names);
    assert.match(text, /^wrote 2 files\n {2}DIR\/post-login\.js\n {2}DIR\/secrets\.json\n/);
    assert.match(text, /1\. fill in LDAP_USER in DIR\/secrets\.json, and put LDAP_PASSWORD into the environment\n/);
    assert.match(text, /run DIR\/post-login\.js --secrets-file DIR\/secrets\.json --secret LDAP_PASSWORD\n/);
    assert.doesNotMatch(text, new RegExp(PASSWORD));
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')), {
      LDAP_URL: url.replace('LDAPS', String(slapd.ports.ldaps)).replace('LDAP', String(slapd.ports.ldap)),
      ...{ LDAP_BASE: 'o=users', LDAP_USER: '', LDAP_PASSWORD: '', LDAP_PINS: certificateHex(certificate) },
    });
  });

test('--pins in place of what the server presents: it is not asked', async (t) => {
  const folder = temporary(t);
  const flags = `--pins ${'AA'.repeat(32)} ${'bb'.repeat(32)} --new-users --keys login --output DIR`;
  const text = await transcript(`auth0 new --from postgres://me:x@db.example.invalid/app ${flags}`, { DIR: folder });
  assert.match(text, /^wrote 2 files\n/);
  assert.doesNotMatch(text, /fingerprint/);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'configuration.json'), 'utf8')), {
    ...{ DB_HOST: 'db.example.invalid', DB_PORT: '5432', DB_NAME: 'app', DB_USER: '', DB_PASSWORD: '' },
    DB_PINS: `${'AA'.repeat(32)} ${'BB'.repeat(32)}`,
  });
});

test('files that are there: all are named, none is written; the very same is no conflict; --force replaces', async (t) => {
  const folder = temporary(t);
  const command = `auth0 new --new-users --client pg --pins ${PINS} --keys login,get_user --output DIR`;
  await transcript(command, { DIR: folder });
  const login = join(folder, 'login.js');
  const written = readFileSync(login, 'utf8');
  assert.match(await transcript(command, { DIR: folder }), /^unchanged: 3 files\n {2}DIR\/login\.js\n/);
  writeFileSync(login, 'mine');
  writeFileSync(join(folder, 'get_user.js'), 'mine too');
  assert.equal(
    await transcript(`${command} --context`, { DIR: folder }),
    `2> certpin: error: DIR/login.js: another file is there
2> certpin: error: DIR/get_user.js: another file is there
2> certpin: hint: give --force to replace, or --output DIR
exit 2`,
  );
  assert.equal(readFileSync(login, 'utf8'), 'mine');
  assert.match(
    await transcript(`${command} --force`, { DIR: folder }),
    /^wrote 2 files\n {2}DIR\/login\.js\n {2}DIR\/get_user\.js\nunchanged: 1 file\n {2}DIR\/configuration\.json\n/,
  );
  assert.equal(readFileSync(login, 'utf8'), written);
  assert.match(
    await transcript('auth0 new --new-users --client pg --keys verify --output LOGIN', { LOGIN: login }),
    /^2> certpin: error: LOGIN\/verify\.js: a file, where a folder has to be, is in its way\n/,
  );
  mkdirSync(join(folder, 'verify.js'));
  symlinkSync('nowhere', join(folder, 'create.js'));
  assert.equal(
    await transcript(`auth0 new --new-users --client pg --keys verify,create --force --output DIR`, { DIR: folder }),
    `2> certpin: error: DIR/verify.js: something that is not a file is in its way
2> certpin: error: DIR/create.js: something that is not a file is in its way
2> certpin: hint: give another folder: --output DIR
exit 2`,
  );
});

test('--force keeps the values that somebody has filled in, and the next steps ask for the others', async (t) => {
  for (const [file, flags] of [
    ['configuration.json', '--client pg --new-users --keys login'],
    ['secrets.json', '--client pg --kind action'],
  ] as const) {
    const folder = temporary(t);
    const command = `auth0 new ${flags} --output DIR`;
    const first = await transcript(command, { DIR: folder });
    assert.match(first, /2> certpin: warning: no pin was given: no script connects before DB_PINS is filled in; /);
    assert.match(first, /fill in DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PINS in DIR/);
    const path = join(folder, file);
    const filled = {
      ...JSON.parse(readFileSync(path, 'utf8')),
      DB_HOST: 'db',
      DB_PASSWORD: 'x',
      DB_PINS: PINS,
      OWN: '1',
    };
    writeFileSync(path, JSON.stringify(filled));
    const again = await transcript(`${command} --force`, { DIR: folder });
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), filled);
    assert.match(again, /fill in DB_PORT, DB_NAME, DB_USER in DIR/);
    assert.doesNotMatch(again, /no pin was given/);
    const other = 'EE'.repeat(32);
    await transcript(`${command} --force --pins ${other}`, { DIR: folder });
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { ...filled, DB_PINS: other });
  }
});

test('a failure after the first file has its name: what is there is said', (t) => {
  const folder = temporary(t);
  mkdirSync(join(folder, 'second.js', 'full'), { recursive: true });
  const files = ['first.js', 'second.js', 'third.js'].map((path) => ({ path, content: 'x' }));
  const failed = writeFiles(folder, files);
  assert.deepEqual(failed?.named, [join(folder, 'first.js')]);
  assert.deepEqual(readdirSync(folder).sort(), ['first.js', 'second.js']);
});

test('a failure in the middle: no file is there', async (t) => {
  const folder = temporary(t);
  mkdirSync(join(folder, `create.js.${process.pid}.tmp`));
  const { stderr, code } = await certpin([
    'auth0',
    'new',
    '--new-users',
    '--client',
    'pg',
    '--pins',
    PINS,
    '--output',
    folder,
  ]);
  assert.match(stderr, /^certpin: error: nothing was written: /);
  assert.equal(code, 2);
  assert.deepEqual(filesIn(folder), []);
});

test('--dry-run writes nothing', async (t) => {
  const folder = join(temporary(t), 'new');
  const text = await transcript(`auth0 new --new-users --client mysql --layout deploy-cli --dry-run --output DIR`, {
    DIR: folder,
  });
  assert.match(text, /^would write 8 files\n {2}DIR\/database-connections\/users\/database\.json\n/);
  assert.match(text, /DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PINS, DB_PASSWORD: AUTH0_KEYWORD_REPLACE_MAPPINGS/);
  assert.equal(existsSync(folder), false);
});

test('Rules and Hooks: the output says that the platform ended them', async (t) => {
  const folder = temporary(t);
  for (const kind of ['rule', 'hook']) {
    const text = await transcript(`auth0 new --kind ${kind} --client fetch --pins ${PINS} --output DIR/${kind}`, {
      DIR: folder,
    });
    assert.match(text, /Auth0 ended Rules and Hooks on 18 November 2026: plan the move to an Action/);
  }
});

test('mistakes: exit 2, one error, and nothing is written', async (t) => {
  const folder = join(temporary(t), 'new');
  const mistakes: Record<string, string> = {
    'auth0 new': '--client or --from says what the scripts call',
    'auth0 new --from db.example.com:7': 'this target does not tell its --client',
    'auth0 new --from https://db.example.com --client pg': 'pg does not speak to https://db.example.com:443',
    'auth0 new --from postgres://localhost/mydb --client mysql': 'mysql does not speak to postgres://localhost:5432',
    'auth0 new --from mysql://localhost/mydb --client pg': 'pg does not speak to mysql://localhost:3306',
    [`auth0 new --client pg --pins ${PINS}`]:
      "give --user-id-prefix, '' for none, or --new-users where nobody logs in yet: with another prefix than before, every user becomes another user",
    'auth0 new --client pg --new-users --user-id-prefix x':
      '--new-users and --user-id-prefix are two answers to one question: give one',
    'auth0 new --client axios --kind action --new-users':
      '--user-id-prefix and --new-users are for the scripts of a database',
    'auth0 new --client pg --new-users --column mail': '--column takes pairs: id=uid,email=mail',
    'auth0 new --client pg --new-users --column mail=x':
      '--column must be one of id, email, password, email_verified, nickname, username, phone_number',
    'auth0 new --new-users --from mysql://db.example.com:5432':
      'mysql2 does not speak to mysql://db.example.com:5432: port 5432 belongs to PostgreSQL, which takes --client pg. For another kind of server, give --client and --pins in place of --from',
    'auth0 new --new-users --from postgres://db.example.com:3306/app --client pg':
      'pg does not speak to postgres://db.example.com:3306: port 3306 belongs to MySQL, which takes --client mysql2 or mysql. For another kind of server, give --client and --pins in place of --from',
    'auth0 new --new-users --from tls://db.example.com:5432 --client axios':
      'axios does not speak to tls://db.example.com:5432: port 5432 belongs to PostgreSQL, which takes --client pg. For another kind of server, give --client and --pins in place of --from',
    'auth0 new --new-users --from https://db.example.com:1433':
      'axios does not speak to https://db.example.com:1433: port 1433 belongs to SQL Server, which takes --client tedious. For another kind of server, give --client and --pins in place of --from',
    'auth0 new --new-users --from db.example.com:5432 --client mysql': 'mysql does not speak to db.example.com:5432',
    'auth0 new --new-users --from sqlserver://db.example.com --client pg':
      'pg does not speak to sqlserver://db.example.com:1433',
    'auth0 new --new-users --from imaps://db.example.com':
      'there is no script for imaps://db.example.com:993: the clients are pg, mysql2, mysql, tedious, mongodb, ldapts, axios and fetch',
    'auth0 new --new-users --from ldap://ldap.example.com':
      'ldapts is for Actions, which can depend on it: make --kind action',
    'auth0 new --kind action --from ldaps://ldap.example.com --client axios':
      'axios does not speak to ldaps://ldap.example.com:636',
    'auth0 new --kind action --from https://ldap.example.com:389':
      'axios does not speak to https://ldap.example.com:389: port 389 belongs to LDAP, which takes --client ldapts. For another kind of server, give --client and --pins in place of --from',
    'auth0 new --kind action --from ldaps://ldap.example.com --client ldapjs':
      'ldapjs makes its connections itself. They can be pinned only on Node 22.17 and newer, which the platform does not promise, and its StartTLS cannot be pinned at all. Use ldapts',
    'auth0 new --kind action --client mssql':
      'the mssql of the platform has no place for a pin: use tedious, on which it is built',
    'auth0 new --kind action --client openldap':
      '--client takes one of pg, mysql2, mysql, tedious, mongodb, ldapts, axios, fetch; did you mean ldapts?',
    'auth0 new --new-users --from imaps://db.example.com --client fetch':
      'fetch does not speak to imaps://db.example.com:993',
    'auth0 new --new-users --from postgres://db.example.com --protocol mysql':
      '--protocol mysql and postgres:// contradict each other',
    'auth0 new --new-users --from db.example.com:7000 --protocol mysql --client pg':
      'pg does not speak to db.example.com:7000',
    'auth0 new --client pg --new-users --proxy http://proxy.example.com:8080':
      '--proxy is for fetching the fingerprint of the server of --from, and none is fetched',
    [`auth0 new --from postgres://db.example.com --pins ${PINS} --new-users --tls-min 1.3`]:
      '--tls-min is for fetching the fingerprint of the server of --from, and none is fetched',
    [`auth0 new --from postgres://db.example.com --pins ${PINS} --new-users --sigalgs rsa`]:
      '--sigalgs is for fetching the fingerprint of the server of --from, and none is fetched',
    'auth0 new --client pg --new-users --protocol postgres': '--protocol is for the server of --from',
    'auth0 new --client axios --new-users --bcrypt bcrypt':
      '--bcrypt is for the scripts of a database that check passwords',
    'auth0 new --kind action --client pg --bcrypt bcrypt':
      '--bcrypt is for the scripts of a database that check passwords',
    'auth0 new --kind rule --client pg --name x':
      '--name is for connections and Actions: Rules and Hooks are plain files',
    'auth0 new --client pg --new-users --module axios@1.2.1': '--module is for pg, bcryptjs here',
    'auth0 new --kind action --client fetch --module undici@1.2.1': '--module is for scripts that require a package',
    'auth0 new --client pgsql':
      '--client takes one of pg, mysql2, mysql, tedious, mongodb, ldapts, axios, fetch; did you mean pg?',
    'auth0 new --client PostgreSQL':
      '--client takes one of pg, mysql2, mysql, tedious, mongodb, ldapts, axios, fetch; did you mean pg?',
    'auth0 new --client mariadb':
      '--client takes one of pg, mysql2, mysql, tedious, mongodb, ldapts, axios, fetch; did you mean mysql2?',
    'auth0 new --client https':
      '--client takes one of pg, mysql2, mysql, tedious, mongodb, ldapts, axios, fetch; did you mean axios?',
    'auth0 new --from ../server.pem': '--from takes a server; give a certificate file with --pins-file',
    'auth0 new --new-users --client pg --keys login,signup':
      '--keys must be one of login, get_user, create, verify, change_password, delete, change_email, change_username, change_phone_number',
    'auth0 new --new-users --client pg --form npm':
      'the platform lets these scripts require its own list of packages only: use the form inline',
    'auth0 new --new-users --client pg --module pg': '--module takes a name and a version: pg@8.11.3',
    'auth0 new --kind databse': '--kind takes one of database, action, rule, hook; did you mean database?',
  };
  for (const [command, message] of Object.entries(mistakes)) {
    const text = await transcript(`${command} --output DIR`, { DIR: folder });
    assert.equal(text, `2> certpin: error: ${message}\n2> certpin: hint: certpin auth0 new --help\nexit 2`, command);
  }
  const down = await transcript('auth0 new --new-users --from postgres://me:PASS@127.0.0.1:1/app --output DIR', {
    ...{ DIR: folder, PASS: PASSWORD },
  });
  assert.equal(down, '2> certpin: error: postgres://127.0.0.1:1: connection refused: nothing listens there\nexit 2');
  const wrong = await transcript('auth0 new --new-users --client pg --pins AA --output DIR', { DIR: folder });
  assert.match(wrong, /^2> certpin: error: --pins: pin 1 cannot be used: 2 hex digits; a SHA-256 has 64\n/);
  assert.equal(existsSync(folder), false);
});

test('a port that says nothing, with --protocol: the client follows from it', async (t) => {
  const folder = temporary(t);
  const command = `auth0 new --new-users --from db.example.com:7000 --protocol postgres --pins ${PINS} --keys login --output DIR`;
  assert.match(await transcript(command, { DIR: folder }), /^wrote 2 files\n[\s\S]*exit 0$/);
  assert.match(readFileSync(join(folder, 'login.js'), 'utf8'), /require\('pg@/);
});

test('scripts that somebody else wrote are in use: --new-users contradicts them, and what they say of user_id is shown', async (t) => {
  const folder = temporary(t);
  const mine = "function login(email, password, callback) {\n  callback(null, {\n    user_id: 'crm|' + 7,\n  });\n}\n";
  writeFileSync(join(folder, 'login.js'), mine);
  const command = `auth0 new --client pg --pins ${PINS} --output DIR --force`;
  assert.equal(
    await transcript(`${command} --new-users`, { DIR: folder }),
    `2> certpin: error: DIR/login.js is there, and certpin did not write it, so people may log in with it: give the beginning of its user_id with --user-id-prefix
2> certpin: hint: certpin auth0 new --help
exit 2`,
  );
  assert.equal(readFileSync(join(folder, 'login.js'), 'utf8'), mine);
  const text = await transcript(`${command} --user-id-prefix crm|`, { DIR: folder });
  assert.match(text, /^ATTENTION: user_id will be 'crm\|' and the id of the table, as you said$/m);
  assert.match(text, /^ {2}DIR\/login\.js said: user_id: 'crm\|' \+ 7,$/m);
});

test('next names files that are there, whatever is written', async (t) => {
  for (const kind of scriptKinds)
    for (const layout of kind === 'database' || kind === 'action' ? layouts : (['files'] as const)) {
      const folder = temporary(t);
      const users = kind === 'database' ? ' --new-users' : '';
      const text = await transcript(
        `auth0 new --kind ${kind} --client pg --pins ${PINS}${users} --layout ${layout} --output ${folder}`,
      );
      const [, next = ''] = text.split('\nnext\n');
      const named = [...next.matchAll(new RegExp(`${folder}[^\\s',]*`, 'g'))].map(([path]) => path);
      assert.ok(named.length > 0 || layout === 'files', text);
      for (const path of named) assert.ok(existsSync(path), `${kind}, ${layout}: ${path} is not there\n${next}`);
    }
});

test('the command that next shows for each script takes what the script takes', async (t) => {
  const run = async (flags: string): Promise<void> => {
    const folder = temporary(t);
    const text = await transcript(`auth0 new --client fetch --pins ${PINS} ${flags} --output ${folder}`);
    const [, command = ''] = /run it on your machine(?: \([^)]*\))?: certpin (.*)$/m.exec(text) ?? [];
    assert.notEqual(command, '', text);
    const { stdout, stderr } = await certpin(command.split(' '), { env: { API_KEY: 'key' }, typed: 'password' });
    assert.doesNotMatch(stderr, /takes no|needs |same argument/, command);
    assert.match(stdout, /not configured: API_URL/, `${command}\n${stdout}${stderr}`);
  };
  for (const key of databaseKeys) await run(`--user-id-prefix= --keys ${key}`);
  for (const kind of ['action', 'rule', 'hook']) await run(`--kind ${kind}`);
  await run('--kind action --layout deploy-cli');
});

/** Answers by the words of the question. */
function answers(given: Record<string, unknown>, asked: string[]): () => Promise<Questions> {
  const answer = async ({ message }: { readonly message: string }): Promise<never> => {
    asked.push(message);
    const [, value] = Object.entries(given).find(([words]) => message.includes(words)) ?? [];
    assert.notEqual(value, undefined, `nobody answers: ${message}`);
    return value as never;
  };
  return async () => ({ select: answer, checkbox: answer, input: answer, confirm: answer });
}

test('on a terminal it asks for what is not given', async (t) => {
  const folder = join(temporary(t), 'asked');
  const certificate = await mint();
  const server = await startServer(t, certificate);
  const asked: string[] = [];
  const questions = answers(
    {
      'to be written': 'database',
      'call it with': 'fetch',
      'log in with': 'new',
      'Which scripts': ['login', 'change_username'],
      'parameter context': true,
      'Which server': `https://127.0.0.1:${server.port}`,
      'which format': 'deploy-cli-yaml',
      'which folder': folder,
    },
    asked,
  );
  const { code, stdout } = await certpin(['auth0', 'new'], { questions });
  assert.equal(code, 0);
  assert.deepEqual(filesIn(folder), ['change_username.js', 'login.js', 'tenant.yaml']);
  assert.match(readFileSync(join(folder, 'tenant.yaml'), 'utf8'), new RegExp(certificateHex(certificate)));
  assert.match(readFileSync(join(folder, 'databases/users/login.js'), 'utf8'), /password, context, callback/);
  assert.match(stdout, /as presented just now/);
  assert.deepEqual(asked[0], 'Which server do the scripts call? Its fingerprint is fetched. Empty: filled in later.');
  assert.equal(asked.length, 8);
  assert.match(readFileSync(join(folder, 'databases/users/login.js'), 'utf8'), /USER_ID_PREFIX = 'users\|'/);
  // With an answer on the command line nothing is asked.
  const again = await certpin(['auth0', 'new', '--client', 'pg', '--new-users', '--dry-run'], {
    questions: answers({}, asked),
  });
  assert.equal(again.code, 0);
});

test('on a terminal: users who are known already keep their user_id; Enter takes the seven documented scripts', async (t) => {
  const folder = join(temporary(t), 'asked');
  const asked: string[] = [];
  const given = answers(
    {
      ...{ 'to be written': 'database', 'call it with': 'pg', 'log in with': 'known', 'put before the id': '' },
      ...{ 'parameter context': false, 'Which server': 'postgres://db.example.invalid/app', 'which format': 'files' },
      'which folder': folder,
    },
    asked,
  );
  const shown: string[][] = [];
  const questions = async (): Promise<Questions> => ({
    ...(await given()),
    checkbox: async ({ choices: offered, pageSize }) => {
      assert.equal(pageSize, offered.length);
      return offered.filter(({ checked }) => checked).map(({ value }) => value);
    },
    select: async (question) => {
      shown.push(question.choices.map(({ value }) => value));
      return (await given()).select(question);
    },
  });
  const { code, stdout, stderr } = await certpin(['auth0', 'new', '--pins', PINS], { questions });
  assert.deepEqual([code, stderr], [0, '']);
  assert.ok(shown.some((values) => values.join() === 'pg')); // of a PostgreSQL server no other client is offered
  assert.equal(filesIn(folder).filter((name) => name.endsWith('.js')).length, 7);
  assert.match(readFileSync(join(folder, 'login.js'), 'utf8'), /user_id: String\(user\.id\)/);
  assert.match(
    stdout,
    /ATTENTION: user_id will be the id of the table, without a prefix, as you said\n {2}The scripts in use have to give the very same/,
  );
});

test('a later run reads the prefix in the scripts that are there, and refuses another one', async (t) => {
  const folder = temporary(t);
  const command = `auth0 new --client pg --pins ${PINS} --output DIR`;
  await transcript(`${command} --user-id-prefix old: --keys login`, { DIR: folder });
  assert.match(
    await transcript(`${command} --keys get_user,verify`, { DIR: folder }),
    /^wrote 2 files\n[\s\S]*, as the scripts that are there have it\n/,
  );
  for (const key of ['login', 'get_user'])
    assert.match(readFileSync(join(folder, `${key}.js`), 'utf8'), /const USER_ID_PREFIX = 'old:';/);
  assert.match(readFileSync(join(folder, 'verify.js'), 'utf8'), /user_id: 'old:' and the id of the table\./);
  assert.equal(
    await transcript(`${command} --keys create --new-users`, { DIR: folder }),
    `2> certpin: error: the scripts in DIR begin user_id with 'old:', and not with 'users|': every user would become another user; for a new set give another --output
2> certpin: hint: certpin auth0 new --help
exit 2`,
  );
  // --force replaces files. It does not make every user another user.
  assert.match(await transcript(`${command} --new-users --force`, { DIR: folder }), /begin user_id with 'old:'/);
  assert.match(
    await transcript(`${command} --force`, { DIR: folder }),
    /^wrote 4 files\n[\s\S]*^unchanged: 4 files\n/m,
  );
  assert.match(
    await transcript(`${command} --table crm.people --force`, { DIR: folder }),
    /are for the table users \(id, email, password, email_verified, nickname\): give --table and --column as before/,
  );
  // Half of a set of another kind: nobody can know which one counts.
  const login = join(folder, 'login.js');
  writeFileSync(login, readFileSync(login, 'utf8').replaceAll('old:', 'x'));
  assert.match(
    await transcript(`${command} --keys create`, { DIR: folder }),
    /do not agree on what user_id begins with/,
  );
});

test('a later run reads every prefix as it was given: long ones, with quotes, with what Terraform escapes', async (t) => {
  for (const prefix of [`${'x'.repeat(99)}|`, `${'y'.repeat(60)}|`, "a'b\\c", 'a$' + '{b}%{c}|', '"', '']) {
    for (const layout of layouts) {
      const folder = temporary(t);
      const argv = [
        'auth0',
        'new',
        '--client',
        'pg',
        '--pins',
        PINS,
        '--layout',
        layout,
        '--output',
        folder,
        '--force',
      ];
      const first = await certpin([...argv, '--keys', 'login', '--user-id-prefix', prefix]);
      assert.equal(first.code, 0, first.stderr);
      const later = await certpin([...argv, '--keys', 'login,get_user']);
      const words = prefix === '' ? 'the id of the table, without a prefix' : `'${prefix}' and the id of the table`;
      assert.ok(
        later.stdout.includes(`user_id will be ${words}, as the scripts that are there have it`),
        later.stderr + later.stdout,
      );
      const other = await certpin([...argv, '--keys', 'login', '--user-id-prefix', 'other|']);
      assert.match(other.stderr, /begin user_id with .*every user would become another user/s);
    }
  }
});

test('the Deploy CLI: what stands in its files stays, and the commands of the next steps read them', async (t) => {
  const folder = temporary(t);
  const path = join(folder, 'database-connections/users/database.json');
  const command = `auth0 new --from postgres://db.example.invalid/app --pins ${PINS} --new-users --layout deploy-cli --output DIR`;
  const text = await transcript(command, { DIR: folder });
  assert.match(
    text,
    /auth0 run DIR\/\S+login\.js --user USER --config-file DIR\/database-connections\/users\/database\.json --config DB_PASSWORD/,
  );
  const written = JSON.parse(readFileSync(path, 'utf8'));
  const mine = {
    ...written,
    enabled_clients: ['My App'],
    options: {
      ...written.options,
      ...{ passwordPolicy: 'excellent', import_mode: true },
      configuration: { ...written.options.configuration, OTHER: 'kept', DB_USER: 'app', DB_HOST: 'old.example' },
      customScripts: { ...written.options.customScripts, login: './mine.js' },
    },
  };
  writeFileSync(path, JSON.stringify(mine));
  assert.match(await transcript(command, { DIR: folder }), /database\.json: another file is there/);
  assert.match(
    await transcript(`${command} --force`, { DIR: folder }),
    /^wrote 1 file\n.*database\.json\nunchanged: 7/,
  );
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
    ...mine,
    options: {
      ...mine.options,
      configuration: { ...mine.options.configuration, DB_HOST: 'db.example.invalid' },
      customScripts: written.options.customScripts,
    },
  });
  writeFileSync(path, '{ "name": "users", ');
  assert.match(
    await transcript(`${command} --force`, { DIR: folder }),
    /database\.json: the file has a syntax error, so nothing can be put into it\nexit 2$/,
  );
});

test('the Deploy CLI, Actions: the runtime and the secrets that stand there stay, and run reads the secrets', async (t) => {
  const folder = temporary(t);
  const command = `auth0 new --kind action --client axios --from https://api.example.invalid --pins ${PINS} --layout deploy-cli --output DIR`;
  const text = await transcript(command, { DIR: folder });
  assert.match(text, /auth0 run DIR\/\S+code\.js --secrets-file DIR\/actions\/users-post-login\.json --secret API_KEY/);
  const path = join(folder, 'actions/users-post-login.json');
  const written = JSON.parse(readFileSync(path, 'utf8'));
  const mine = {
    ...written,
    runtime: 'node18',
    deployed: false,
    secrets: [{ name: 'OTHER', value: 'x' }, ...written.secrets],
  };
  writeFileSync(path, JSON.stringify(mine));
  assert.match(await transcript(`${command} --force`, { DIR: folder }), /exit 0$/);
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), mine);
});

test('tenant.yaml: other connections and comments stay', async (t) => {
  const folder = temporary(t);
  const path = join(folder, 'tenant.yaml');
  const yaml = '# mine\nroles:\n  - name: admin\ndatabases:\n  - name: others # theirs\n    strategy: auth0\n';
  writeFileSync(path, yaml);
  const command = `auth0 new --client pg --pins ${PINS} --new-users --layout deploy-cli-yaml --output DIR`;
  assert.match(await transcript(command, { DIR: folder }), /tenant\.yaml: another file is there/);
  await transcript(`${command} --force`, { DIR: folder });
  const text = readFileSync(path, 'utf8');
  assert.ok(text.startsWith(yaml), text);
  assert.match(text, / {2}- name: users\n/);
});

test('Terraform: the provider is named, once', async (t) => {
  const folder = temporary(t);
  const command = `auth0 new --client pg --pins ${PINS} --new-users --keys login --layout terraform --output DIR`;
  const text = await transcript(command, { DIR: folder });
  assert.match(readFileSync(join(folder, 'versions.tf'), 'utf8'), /source {2}= "auth0\/auth0"/);
  assert.match(
    text,
    new RegExp(
      `--config DB_HOST --config DB_PORT --config DB_NAME --config DB_USER --config DB_PINS=${PINS} --config DB_PASSWORD`,
    ),
  );
  const other = join(folder, 'module');
  mkdirSync(other);
  const providers = (text: string): void =>
    writeFileSync(join(other, 'main.tf'), `terraform {\n  required_providers {\n${text}  }\n}\n`);
  providers('');
  const without = await transcript(command, { DIR: other });
  assert.match(without, /^wrote 2 files/);
  assert.match(
    without,
    /^2> certpin: warning: DIR\/main\.tf names providers, and not this one: write auth0 = \{ source = "auth0\/auth0" \}/m,
  );
  assert.equal(existsSync(join(other, 'versions.tf')), false);
  providers('    auth0 = {\n      source = "auth0/auth0"\n    }\n');
  assert.doesNotMatch(await transcript(command, { DIR: other }), /warning/);
  writeFileSync(join(other, 'main.tf'), '# required_providers { }\n/* required_providers {} */\n');
  assert.match(await transcript(command, { DIR: other }), /^wrote 1 file\n {2}DIR\/versions\.tf\n/);
});

test('every example of the pages and of the help is taken', async () => {
  const root = new URL('../../../../', import.meta.url);
  const pages = [
    ...['README.md', 'packages/auth0/README.md', 'packages/cli/README.md'],
    ...['docs/reference/auth0.md', 'docs/reference/commands/auth0-new.md', 'docs/guides/auth0-login.md'],
  ];
  const texts = pages.map((page) => readFileSync(new URL(page, root), 'utf8'));
  const help = (await certpin(['auth0', 'new', '--help'])).stdout;
  const commands = [...texts, help].flatMap((text) =>
    [...text.replaceAll(/\\\n */g, '').matchAll(/^ *certpin auth0 new (--.*?)(?: +#.*)?$/gm)].map(
      ([, flags = '']) => flags,
    ),
  );
  assert.ok(commands.length >= 10, `${commands.length} examples`);
  for (const flags of commands) {
    const argv = [...flags.matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([word]) => word.replace(/^(['"])(.*)\1$/, '$2'));
    const known = argv.some((word) => word.startsWith('--pins')) ? [] : ['--pins', PINS];
    const given = argv.map((word) => (word.includes('$(') ? PINS : word === 'pins.txt' ? '/dev/null' : word));
    const { stderr } = await certpin(['auth0', 'new', ...given, ...known, '--dry-run']);
    assert.doesNotMatch(stderr, /give --user-id-prefix|takes one of|unknown option|does not speak|--help/, flags);
  }
  for (const text of texts)
    for (const [, options = ''] of text.matchAll(/createScripts\((\{.*?\})\)/g))
      assert.ok(/kind: '(?:action|rule|hook)'|userIdPrefix/.test(options), options);
});

test('Ctrl-C at a question: exit 130, and nothing is said', async () => {
  const questions = async (): Promise<Questions> => {
    throw Object.assign(new Error('User force closed the prompt'), { name: 'ExitPromptError' });
  };
  assert.deepEqual(await certpin(['auth0', 'new'], { questions }), { stdout: '', stderr: '', code: 130 });
});
