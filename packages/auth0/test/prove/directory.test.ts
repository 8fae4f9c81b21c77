// Impostors of a directory: what generated Actions do there, what scripts do that verify by themselves, and what those do that do not.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { certificateHex, mint, sampleOf } from '@certpin/testkit';
import type { Slapd } from '@certpin/testkit/ldap';
import { findPackage } from '../../../../dev/tools/nodes/packages.ts';
import { createScripts, type ProofReport, prove } from '../../src/index.ts';
import { startDirectory } from '../new/people.ts';
import { nodeOf } from '../nodes.ts';

const folder = mkdtempSync(join(tmpdir(), 'certpin-prove-directory-'));
const right = await mint();

let slapd: Slapd;
before(async () => {
  mkdirSync(join(folder, 'node_modules'));
  for (const name of ['ldapts', 'ldapjs'])
    symlinkSync(findPackage(name)?.folder ?? assert.fail(name), join(folder, 'node_modules', name));
  slapd = await startDirectory(right);
});
after(async () => {
  await slapd.stop();
  rmSync(folder, { recursive: true });
});

const secrets = (scheme: 'ldap' | 'ldaps') => ({
  ...{ LDAP_URL: `${scheme}://127.0.0.1:${slapd.ports[scheme]}`, LDAP_BASE: slapd.base, LDAP_USER: slapd.user },
  ...{ LDAP_PASSWORD: slapd.password, LDAP_PINS: certificateHex(right), LDAP_CA: right.certPem },
});

const proof = (scheme: 'ldap' | 'ldaps', source: string): Promise<ProofReport> =>
  prove(
    { source, folder, fileName: 'post-login.js' },
    { as: 'action:post-login', secrets: secrets(scheme), node: nodeOf(22), stallMs: 3_000 },
  );

const [generated] = createScripts({ kind: 'action', client: 'ldapts' });

/** An Action with ldapts; `begin` stands before the bind. */
const action = (options: string, begin = ''): string => `
const { Client } = require('ldapts');
exports.onExecutePostLogin = async (event, api) => {
  const { LDAP_URL, LDAP_USER, LDAP_PASSWORD, LDAP_BASE, LDAP_CA, LDAP_PINS } = event.secrets;
  const pinned = {
    ca: [LDAP_CA],
    checkServerIdentity: (host, { fingerprint256 }) =>
      fingerprint256.replaceAll(':', '') === LDAP_PINS ? undefined : new Error('another certificate'),
  };
  const client = new Client({ url: LDAP_URL, timeout: 2000, ${options} });
  try {
    ${begin}
    await client.bind(LDAP_USER, LDAP_PASSWORD);
    const { searchEntries } = await client.search(LDAP_BASE, { filter: '(mail=user@example.com)' });
    api.idToken.setCustomClaim('https://example.com/uid', searchEntries.map(({ uid }) => uid).join());
  } catch (error) {
    console.error(error.code, error.message);
    api.access.deny('the directory cannot be reached');
  } finally {
    await client.unbind();
  }
};
`;

const ldapjsAction = `
const ldapjs = require('ldapjs');
exports.onExecutePostLogin = async (event, api) => {
  const { LDAP_URL, LDAP_USER, LDAP_PASSWORD } = event.secrets;
  const client = ldapjs.createClient({ url: LDAP_URL, timeout: 2000, tlsOptions: { rejectUnauthorized: false } });
  await new Promise((resolve) => {
    client.on('error', resolve);
    client.bind(LDAP_USER, LDAP_PASSWORD, (error) => resolve(error && api.access.deny('no directory')));
  });
  client.destroy();
};
`;

const held: Readonly<Record<string, readonly ['ldap' | 'ldaps', () => string, speech: string]>> = {
  'the generated Action, TLS at once': ['ldaps', () => generated?.content ?? '', 'http'],
  'the generated Action, StartTLS': ['ldap', () => generated?.content ?? '', 'ldap'],
  'StartTLS, with the one certificate as ca': ['ldap', () => action('', 'await client.startTLS(pinned);'), 'ldap'],
  'TLS at once, with the one certificate as ca': ['ldaps', () => action('tlsOptions: pinned'), 'http'],
};

/** How each fails, which impostors are enough to see it, and what they hear. */
const leaked: Readonly<
  Record<string, readonly ['ldap' | 'ldaps', source: string, impostors: readonly string[], kinds: readonly string[]]>
> = {
  'rejectUnauthorized: false, TLS at once': [
    'ldaps',
    action('tlsOptions: { rejectUnauthorized: false }'),
    ['another-key', 'trusted-ca', 'expired'],
    ['password', 'query', 'user name', 'secrets.LDAP_PASSWORD'],
  ],
  'rejectUnauthorized: false, StartTLS': [
    'ldap',
    action('', 'await client.startTLS({ rejectUnauthorized: false });'),
    ['another-key', 'trusted-ca', 'expired'],
    ['password', 'query', 'user name', 'secrets.LDAP_PASSWORD'],
  ],
  'StartTLS, and on without it where the server has none': [
    'ldap',
    action(
      '',
      'await client.startTLS(pinned).catch((error) => { if (!/cert|another/i.test(error.message)) return; throw error; });',
    ),
    ['plaintext'],
    ['password', 'query', 'user name', 'secrets.LDAP_PASSWORD'],
  ],
  'a bind, and StartTLS behind it': [
    'ldap',
    action('', 'await client.bind(LDAP_USER, LDAP_PASSWORD); await client.startTLS(pinned);'),
    ['plaintext'],
    ['password', 'user name'],
  ],
  'rejectUnauthorized: false, ldapjs': [
    'ldaps',
    ldapjsAction,
    ['another-key', 'trusted-ca', 'expired'],
    ['password', 'user name', 'secrets.LDAP_PASSWORD'],
  ],
  'no TLS': ['ldap', action(''), ['plaintext'], ['password', 'query', 'user name']],
};

describe('prove: a directory', () => {
  for (const [name, [scheme, source, speech]] of sampleOf(held, 'the generated Action, StartTLS'))
    test(`holds: ${name}`, async () => {
      const report = await proof(scheme, source());
      assert.deepEqual([report.finding, report.reasons], ['held', []], JSON.stringify(report.control));
      const [server] = report.servers;
      assert.deepEqual([report.servers.length, server?.speech, server?.tls], [1, speech, true]);
      assert.equal(server?.certificateSha256, certificateHex(right));
      const asked = server?.trials.filter(({ connections }) => connections > 0) ?? [];
      assert.ok(asked.length > 10, `${asked.length} impostors were asked`);
      assert.deepEqual(new Set(server?.trials.map(({ bytes }) => bytes)), new Set([0]));
    });

  for (const [name, [scheme, source, impostors, kinds]] of sampleOf(
    leaked,
    'StartTLS, and on without it where the server has none',
  ))
    test(`is caught: ${name}`, async () => {
      const report = await proof(scheme, source);
      assert.equal(report.finding, 'leaked', JSON.stringify([report.reasons, report.control]));
      const trials = report.servers.flatMap((server) => server.trials);
      for (const impostor of impostors) {
        const trial = trials.find((one) => one.impostor === impostor && one.moment === 'at-once');
        assert.ok((trial?.bytes ?? 0) > slapd.password.length, `${impostor}: ${trial?.bytes} bytes`);
        for (const kind of kinds) assert.ok(trial?.kinds.includes(kind), `${impostor}: ${kind}: ${trial?.kinds}`);
      }
      assert.ok(!JSON.stringify(report).includes(slapd.password), 'the password is in the report');
    });
});
