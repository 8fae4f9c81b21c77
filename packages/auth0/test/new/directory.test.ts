// What is a directory's own in a generated Action: the value is a value, one address is one entry, roles are for verified addresses alone.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type CountingServer, certificateHex, mint, startScriptedServer } from '@certpin/testkit';
import { answerStartTls, type Slapd, startLdapRelay } from '@certpin/testkit/ldap';
import { CertpinError } from 'certpin';
import { findPackage } from '../../../../dev/tools/nodes/packages.ts';
import {
  type CreateScriptsOptions,
  createContainer,
  createScripts,
  type RunOptions,
  type RunResult,
} from '../../src/index.ts';
import { lintText } from '../../src/lint/index.ts';
import { nodeOf } from '../nodes.ts';
import { startDirectory } from './people.ts';

const folder = mkdtempSync(join(tmpdir(), 'certpin-directory-'));
const [right, wrong] = [await mint(), await mint()];

let slapd: Slapd;
let impostor: CountingServer;
before(async () => {
  slapd = await startDirectory(right);
  impostor = await startLdapRelay({ certificate: wrong, upstream: { host: '127.0.0.1', port: slapd.port } });
});
after(async () => {
  await impostor.close();
  await slapd.stop();
  rmSync(folder, { recursive: true });
});

type Trigger = 'post-login' | 'pre-user-registration';

function scriptFor(trigger: Trigger, form: 'inline' | 'npm' = 'inline'): string {
  const [file] = createScripts({ kind: 'action', client: 'ldapts', triggers: [trigger], form });
  return file?.content ?? assert.fail('no script');
}

/** A folder in which the script finds this version of ldapts. */
function folderWith(version: string): string {
  const place = join(folder, version);
  mkdirSync(join(place, 'node_modules'), { recursive: true });
  symlinkSync(findPackage(version)?.folder ?? assert.fail(version), join(place, 'node_modules', 'ldapts'));
  symlinkSync(findPackage('certpin')?.folder ?? assert.fail('certpin'), join(place, 'node_modules', 'certpin'));
  return place;
}

const settings = (url: string): Record<string, string> => ({
  ...{ LDAP_URL: url, LDAP_BASE: slapd.base, LDAP_USER: slapd.user },
  ...{ LDAP_PASSWORD: slapd.password, LDAP_PINS: certificateHex(right) },
});
const genuine = (scheme: 'ldap' | 'ldaps' = 'ldaps'): string => `${scheme}://127.0.0.1:${slapd.ports[scheme]}`;

/** Runs a script once, as the platform does. */
async function run(
  source: string,
  url: string,
  user: Record<string, string | boolean | null>,
  more: RunOptions & { readonly place?: string } = {},
): Promise<RunResult> {
  const { place = ldapts8(), ...options } = more;
  const as = source.includes('onExecutePostLogin') ? 'action:post-login' : 'action:pre-user-registration';
  const container = createContainer({ node: nodeOf(22), cwd: place, settleMs: 0 });
  try {
    const script = { source, fileName: 'action.js', folder: place };
    const result = await container.run(script, { as, secrets: settings(url), event: { user }, ...options });
    const said = JSON.stringify([result.console, result.outcome, result.calls]);
    assert.ok(!said.includes(slapd.password), said);
    return result;
  } finally {
    await container.close();
  }
}

let made: string | undefined;
const ldapts8 = (): string => {
  made ??= folderWith('ldapts');
  return made;
};

const rolesOf = ({ calls }: RunResult): unknown => {
  assert.deepEqual(
    calls.map(({ method }) => method),
    ['idToken.setCustomClaim', 'accessToken.setCustomClaim'],
    JSON.stringify(calls),
  );
  return calls[0]?.arguments[1];
};
const denied = (result: RunResult, log: RegExp): void => {
  assert.deepEqual(
    result.calls.map(({ method, arguments: values }) => [method, values.at(-1)]),
    [['access.deny', 'The user directory cannot be reached at the moment. Try again later.']],
  );
  assert.match(result.console.map(({ text }) => text).join('\n'), log);
};

describe('an Action that asks a directory', () => {
  const login = scriptFor('post-login');
  const signUp = scriptFor('pre-user-registration');

  for (const scheme of ['ldaps', 'ldap'] as const)
    test(`puts the groups of the one entry into the tokens: ${scheme}`, async () => {
      assert.deepEqual(rolesOf(await run(login, genuine(scheme), { email: 'user@example.com' })), ['admin']);
      assert.deepEqual(rolesOf(await run(login, genuine(scheme), { email: 'USER@example.com' })), ['admin']);
      assert.deepEqual(rolesOf(await run(login, genuine(scheme), { email: 'nobody@example.com' })), []);
    });

  for (const version of ['ldapts', 'ldapts-9'])
    test(`with the package certpin, and ${version}`, async () => {
      const place = version === 'ldapts' ? ldapts8() : folderWith(version);
      const source = scriptFor('post-login', 'npm');
      for (const scheme of ['ldaps', 'ldap'] as const)
        assert.deepEqual(rolesOf(await run(source, genuine(scheme), { email: 'user@example.com' }, { place })), [
          'admin',
        ]);
      const url = `ldaps://127.0.0.1:${impostor.port}`;
      denied(await run(source, url, { email: 'user@example.com' }, { place }), /ERR_PIN_MISMATCH/);
      assert.equal(impostor.received(), 0);
    });

  test('an address that is not verified, or is none, gets no roles, and the directory is not asked', async () => {
    const nobody = 'ldaps://127.0.0.1:1';
    for (const user of [
      { email: 'root@example.com', email_verified: false },
      { email: 'root@example.com', email_verified: 'false' },
      { email: 'root@example.com', email_verified: null },
      { email: null, email_verified: true },
      { email: '', email_verified: true },
    ])
      assert.deepEqual(rolesOf(await run(login, nobody, user)), []);
    // The same address, verified, would have asked it.
    denied(await run(login, nobody, { email: 'root@example.com' }), /ECONNREFUSED/);
  });

  test('an address with the signs of a filter is an address that nobody has', async () => {
    const lax = login.replace('small(one) === small(email)', 'true');
    assert.notEqual(lax, login);
    const naive = lax.replace('new EqualityFilter({ attribute, value })', `\`(\${attribute}=\${value})\``);
    assert.notEqual(naive, lax);
    for (const email of [
      'root*',
      '*',
      'nobody@example.com)(uid=root',
      'x)(|(uid=root)',
      '\\2a',
      'root@example.com\0',
      '*)(mail=root@example.com',
    ])
      assert.deepEqual(rolesOf(await run(login, genuine(), { email })), [], email);
    // OpenLDAP takes one of them for an address that it has: what it found is compared again.
    assert.deepEqual(rolesOf(await run(lax, genuine(), { email: 'root@example.com\0' })), ['owner']);
    // The attack is one: where the value stands in the text of a filter, it chooses the entry.
    assert.deepEqual(rolesOf(await run(naive, genuine(), { email: 'root*' })), ['owner']);
    // The name of an entry is a value too.
    assert.deepEqual(rolesOf(await run(login, genuine(), { email: 'signs@example.com' })), ['signs']);
  });

  test('the linter finds nothing in it', () => {
    for (const trigger of ['post-login', 'pre-user-registration'] as const)
      for (const form of ['inline', 'npm'] as const)
        assert.deepEqual(lintText(scriptFor(trigger, form), { path: `actions/users-${trigger}/code.js` }).findings, []);
  });

  test('two entries with one address: nobody is let in', async () => {
    denied(await run(login, genuine(), { email: 'twins@example.com' }), /more than one entry with this address/);
    denied(await run(signUp, genuine(), { email: 'twins@example.com' }), /more than one entry with this address/);
  });

  test('those may sign up who have an entry', async () => {
    assert.deepEqual((await run(signUp, genuine(), { email: 'root@example.com', email_verified: false })).calls, []);
    const refused = await run(signUp, genuine(), { email: 'r*', email_verified: false });
    assert.deepEqual(
      refused.calls.map(({ arguments: values }) => values),
      [['not_invited', 'To sign up, you need an invitation.']],
    );
  });

  test('a directory that takes StartTLS away gets no name and no password', async () => {
    for (const answer of [answerStartTls(1, 2), answerStartTls(1, 52), Buffer.from('hello')]) {
      const server = await startScriptedServer((socket) => void socket.on('data', () => socket.write(answer)));
      denied(await run(login, `ldap://127.0.0.1:${server.port}`, { email: 'user@example.com' }), /ERR_UPGRADE_/);
      assert.equal(server.received().length, 31);
      await server.close();
    }
  });

  test('a directory that says nothing is given up in time', async () => {
    const silent = await startScriptedServer(() => undefined);
    const started = Date.now();
    denied(await run(login, `ldaps://127.0.0.1:${silent.port}`, { email: 'user@example.com' }), /ERR_CONNECT_TIMEOUT/);
    assert.ok(Date.now() - started < 10_000);
    await silent.close();
  });

  test('a wrong bind password, and an ldapts that is too old', async () => {
    const url = genuine();
    const secrets = { ...settings(url), LDAP_PASSWORD: 'another one' };
    denied(await run(login, url, { email: 'user@example.com' }, { secrets }), /post-login failed: 49: /);
    const old = folderWith('ldapts-7');
    denied(
      await run(login, url, { email: 'user@example.com' }, { place: old }),
      /certpin: the pinned options were not used; .* ldapts 8\.2/,
    );
  });
});

test('what is not written for a directory, and why', () => {
  const refused = (options: object, message: RegExp): void =>
    assert.throws(
      () => createScripts({ kind: 'action', client: 'ldapts', ...options } as CreateScriptsOptions),
      (error) => error instanceof CertpinError && message.test(error.message) && !/secret/.test(error.message),
    );
  refused({ kind: 'database', userIdPrefix: '' }, /ldapts is for Actions, which can depend on it: make `kind` action/);
  refused({ kind: 'rule' }, /ldapts is for Actions/);
  refused({ kind: 'hook' }, /ldapts is for Actions/);
  refused({ client: 'ldapjs' }, /only on Node 22\.17 .* StartTLS cannot be pinned at all\. Use ldapts/);
  refused({ triggers: ['credentials-exchange'] }, /`triggers` must be one of post-login, pre-user-registration/);
  for (const url of [
    'https://ldap.example.com',
    'ldaps://me:secret@ldap.example.com',
    'ldaps://h/o=secret',
    'ldapi://h',
    'h',
  ])
    refused({ url }, /ldaps:\/\/host:port, or ldap:\/\/host:port for StartTLS/);
});

test('the settings of a directory: the URL, where a search begins, the pins; and never the password', () => {
  const place = { url: 'LDAPS://ldap.example.com:636/', database: 'o=users', pins: 'AA'.repeat(32) };
  const files = createScripts({ kind: 'action', client: 'ldapts', ...place });
  assert.deepEqual(JSON.parse(files.find(({ isScript }) => !isScript)?.content ?? ''), {
    ...{ LDAP_URL: 'ldaps://ldap.example.com:636', LDAP_BASE: 'o=users', LDAP_USER: '' },
    ...{ LDAP_PASSWORD: '', LDAP_PINS: place.pins },
  });
  const [action] = createScripts({ kind: 'action', client: 'ldapts', form: 'npm', layout: 'deploy-cli', ...place });
  const { dependencies, secrets } = JSON.parse(action?.content ?? '');
  assert.deepEqual(
    dependencies.map(({ name }: { name: string }) => name),
    ['ldapts', 'certpin'],
  );
  assert.deepEqual(secrets[3], { name: 'LDAP_PASSWORD', value: '@@LDAP_PASSWORD@@' });
  const [hcl] = createScripts({ kind: 'action', client: 'ldapts', layout: 'terraform', ...place });
  assert.match(hcl?.content ?? '', /variable "users_ldap_password" \{\n {2}type {6}= string\n {2}sensitive = true\n\}/);
});
