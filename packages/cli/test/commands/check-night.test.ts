import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
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
import { outcomeOf, statuses } from '@certpin/pins-file';
import { certificateHex, type Minted, mint, startAddresses } from '@certpin/testkit';
import { startPeer, startServer, writeTemporary } from '../peers.ts';
import { certpin, transcript } from '../transcript.ts';

const OTHER = 'AB'.repeat(32);

const fileOf = (t: TestContext, targets: readonly object[], about: object = { version: 2 }): string =>
  writeTemporary(t, 'certpin.json', JSON.stringify({ ...about, targets }));

/** A server with this certificate, and its target, pinned. */
async function serve(t: TestContext, certificate: Minted, more: object = {}) {
  const { port } = await startServer(t, certificate);
  const target = `tls://127.0.0.1:${port}`;
  return { target, pins: [certificateHex(certificate)], ...more };
}

/** One in each state. */
async function startEstate(t: TestContext) {
  const [holds, revoked] = [await mint({ validToDays: 300 }), await mint()];
  const closed = await startServer(t);
  await closed.close();
  const entries = {
    HOLDS: await serve(t, holds, { id: 'db-1' }),
    SOON: await serve(t, await mint({ validToDays: 5 }), { note: 'ask Anna' }),
    DRIFT: await serve(t, await mint(), { pins: [OTHER] }),
    REVOKED: await serve(t, revoked, {
      pins: [OTHER],
      revoked: [{ pin: certificateHex(revoked), since: '2026-01-02' }],
    }),
    EXPIRED: await serve(t, await mint({ validFromDays: -9, validToDays: -2 })),
    FUTURE: await serve(t, await mint({ validFromDays: 2, validToDays: 9 })),
    CLOSED: { target: `tls://127.0.0.1:${closed.port}`, pins: [OTHER] },
    NOWHERE: { target: 'tls://nowhere.invalid:1', pins: [OTHER] },
  };
  const names = Object.fromEntries(Object.entries(entries).map(([name, { target }]) => [name, target]));
  const lookup: NonNullable<Parameters<typeof certpin>[1]>['lookup'] = (name, _, done) =>
    done(Object.assign(new Error(name), { code: 'ENOTFOUND' }), '');
  return { file: fileOf(t, Object.values(entries)), names, lookup };
}

test('the states: a certificate that is not yet valid, one that is revoked, a name that is not there', async (t) => {
  const { file, lookup } = await startEstate(t);
  const { stdout, code } = await certpin(['check', '--file', file, '--json'], { lookup });
  const reports = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    reports.map(({ status, daysLeft }) => [status, daysLeft]),
    [
      ['holds', 299],
      ['ends-soon', 4],
      ['drift', 29],
      ['revoked', 29],
      ['expired', -3],
      ['not-yet-valid', 8],
      ['unreachable', null],
      ['no-such-name', null],
    ],
  );
  assert.equal(reports[0].id, 'db-1');
  assert.equal(code, 1);
  const csv = await certpin(['check', '--file', file, '--csv'], { lookup });
  const rows = csv.stdout.split('\r\n');
  assert.match(rows[0] ?? '', /,line,note,address,days_left$/);
  assert.match(rows[1] ?? '', /,127\.0\.0\.1,299$/);
  assert.match(rows[7] ?? '', /,,$/);
});

test('--problems: what needs a person alone, the worst first, each state under its heading', async (t) => {
  const { file, names, lookup } = await startEstate(t);
  const said = await transcript('check --file FILE --problems', { ...names, FILE: file }, { lookup });
  const headings = [...said.matchAll(/^([a-z-]+): (\d+) target/gm)].map(([, status]) => status);
  assert.deepEqual(headings, [
    ...['revoked', 'drift', 'expired', 'not-yet-valid'],
    ...['unreachable', 'no-such-name', 'ends-soon'],
  ]);
  assert.doesNotMatch(said, /HOLDS/);
  assert.match(said, /ends-soon: 1 target\nends-soon +SOON +it ends in 4 days, on .*\n {2}note: ask Anna\n/);
  assert.match(said, /summary: 8 targets, 1 holds, .*\nexit 1$/);
  const { stdout } = await certpin(['check', '--file', file, '--problems', '--json'], { lookup });
  const statuses = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).status);
  assert.deepEqual(statuses, headings);
  // Nothing to tell, nothing told: a cron job sends no mail.
  assert.deepEqual(await certpin(['check', '--file', file, '--problems', 'db-1']), { stdout: '', stderr: '', code: 0 });
  assert.match((await certpin(['check', '--file', file, '--problems', '-q'])).stderr, /cannot be used with/);
});

test('expiresWithin: the target’s own word, then the command’s, then the file’s; a share of the lifetime', async (t) => {
  // Of 100 days, 31 are left.
  const certificate = (): Promise<Minted> => mint({ validFromDays: -69, validToDays: 31 });
  const entries = [
    await serve(t, await certificate()),
    await serve(t, await certificate(), { expiresWithin: '40%' }),
    await serve(t, await certificate(), { expiresWithin: '0d' }),
    await serve(t, await certificate(), { expiresWithin: '36h' }),
  ];
  const [PLAIN = '', SHARE = '', NEVER = '', HOURS = ''] = entries.map(({ target }) => target);
  const statusesOf = async (about: object, ...flags: string[]): Promise<Record<string, string>> => {
    const { stdout } = await certpin(['check', '--file', fileOf(t, entries, about), '--json', ...flags]);
    const reports = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    return Object.fromEntries(reports.map(({ target, status }) => [target, status]));
  };
  const fixed = { [SHARE]: 'ends-soon', [NEVER]: 'holds', [HOURS]: 'holds' };
  assert.deepEqual(await statusesOf({ version: 2 }), { [PLAIN]: 'holds', ...fixed });
  assert.deepEqual(await statusesOf({ version: 2, expiresWithin: '40d' }), { [PLAIN]: 'ends-soon', ...fixed });
  const said = { version: 2, expiresWithin: '40d' };
  assert.deepEqual(await statusesOf(said, '--expires-within', '10%'), { [PLAIN]: 'holds', ...fixed });
  assert.deepEqual(await statusesOf(said, '--expires-within', '800h'), { [PLAIN]: 'ends-soon', ...fixed });
  for (const wrong of ['1.5d', '100%', '0%', '-1', 'soon', '']) {
    const { stderr, code } = await certpin(['check', '--file', fileOf(t, entries), '--expires-within', wrong]);
    assert.match(stderr, /--expires-within takes a time, or a share of the lifetime: 30d, 36h, 25%/, wrong);
    assert.equal(code, 2);
  }
});

test('remarks change no status: another pin than the first, one address of several, an end that is accepted', async (t) => {
  const certificate = await mint({ names: ['several.example'], validToDays: 300 });
  const stage = await startAddresses([certificate, certificate]);
  t.after(stage.close);
  const entries = [
    { target: `tls://${stage.name}:${stage.port}`, pins: [OTHER, certificateHex(certificate)] },
    await serve(t, await mint({ validFromDays: -9, validToDays: -2 }), { expired: 'accept' }),
    await serve(t, certificate),
  ];
  const { stdout, code } = await certpin(['check', '--file', fileOf(t, entries), '--json'], stage);
  const reports = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    reports.map(({ status, remarks }) => [status, remarks]),
    [
      ['holds', ['next-pin', 'one-of-several']],
      ['holds', ['end-accepted']],
      ['holds', []],
    ],
  );
  assert.equal(code, 0);
});

test('a pattern names targets: by address, host and id; one that fits none is an error', async (t) => {
  const { file, names, lookup } = await startEstate(t);
  const count = async (...patterns: string[]): Promise<number> => {
    const { stdout } = await certpin(['check', '--file', file, '--json', ...patterns], { lookup });
    return stdout === '' ? 0 : stdout.trim().split('\n').length;
  };
  assert.deepEqual(
    [
      await count('*'),
      await count('127.0.0.1*'),
      await count('*.INVALID'),
      await count('tls://*:1'),
      await count('db-*'),
    ],
    [8, 7, 1, 1, 1],
  );
  assert.equal(await count('db-1', String(names.SOON), 'db-*'), 2);
  const none = await certpin(['check', '--file', file, '*.elsewhere']);
  assert.match(none.stderr, /no target of the file matches a pattern with \*/);
  assert.equal(none.code, 2);
  // Not a regular expression, and quick whatever it is.
  assert.equal(await count('127.0.0?1*'), 0);
  assert.equal(await count(`${'*a'.repeat(2000)}*`), 0);
});

test('--junit: how long each was asked', async (t) => {
  const { file, lookup } = await startEstate(t);
  const { stdout } = await certpin(['check', '--file', file, '--junit'], { lookup });
  assert.match(
    stdout,
    /<testsuites name="certpin check" tests="8" failures="4" errors="2" skipped="0" time="\d+\.\d{3}">/,
  );
  assert.equal([...stdout.matchAll(/<testcase [^>]* time="\d+\.\d{3}">/g)].length, 8);
});

/** What OpenMetrics 1.0 and the text format of Prometheus both ask: families in one piece, no sample twice, `# EOF` at the end. */
function readMetrics(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const families: string[] = [];
  const lines = text.split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(lines.pop(), '# EOF');
  for (const line of lines) {
    const [, kind, name = ''] = /^# (HELP|TYPE) (certpin_[a-z_]+) \S/.exec(line) ?? [];
    if (kind === 'HELP') {
      assert.ok(!families.includes(name), `${name} twice`);
      families.push(name);
    } else if (kind === 'TYPE') {
      assert.equal(line, `# TYPE ${families.at(-1)} gauge`);
    } else {
      const label = '[a-z_][a-z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
      const sample = new RegExp(`^(certpin_[a-z_]+)\\{${label}(?:,${label})*\\} (-?\\d[\\d.e+-]*)$`).exec(line);
      assert.ok(sample, line);
      assert.equal(sample[1], families.at(-1));
      const key = line.slice(0, line.lastIndexOf(' '));
      assert.ok(!samples.has(key), `${key} twice`);
      samples.set(key, Number(sample[2]));
    }
  }
  return samples;
}

test('--openmetrics: what a collector of either format reads, beside the answer', async (t) => {
  const { file, names, lookup } = await startEstate(t);
  const metrics = writeTemporary(t, 'certpin.prom', 'old');
  const plain = await certpin(['check', '--file', file], { lookup });
  const before = Date.now() / 1000;
  const { stdout, stderr, code } = await certpin(['check', '--file', file, '--openmetrics', metrics], { lookup });
  assert.deepEqual({ stdout, stderr, code }, plain);
  const text = readFileSync(metrics, 'utf8');
  const samples = readMetrics(text);
  const of = (name: string, target: string, more = ''): number | undefined =>
    samples.get(`${name}{file="${file}",target="${names[target]}"${more}}`);
  const states = {
    DRIFT: 'drift',
    REVOKED: 'revoked',
    CLOSED: 'unreachable',
    NOWHERE: 'no-such-name',
    SOON: 'ends-soon',
  };
  for (const [target, state] of Object.entries(states)) {
    assert.equal(of('certpin_target_state', target, `,state="${state}"`), 1, target);
    assert.equal(of('certpin_target_holds', target), state === 'ends-soon' ? 1 : 0);
    assert.equal(samples.get(`certpin_targets{file="${file}",state="${state}"}`), 1);
  }
  assert.equal(of('certpin_target_holds', 'HOLDS', ',id="db-1"'), 1);
  assert.equal(samples.get(`certpin_targets{file="${file}",state="mixed"}`), 0);
  const end = of('certpin_certificate_not_after_timestamp_seconds', 'SOON') ?? 0;
  assert.ok(Math.abs(end - before - 5 * 86_400) < 90_000, String(end));
  assert.equal(of('certpin_certificate_not_after_timestamp_seconds', 'CLOSED'), undefined);
  assert.ok((samples.get(`certpin_check_completed_timestamp_seconds{file="${file}"}`) ?? 0) >= before);
  for (const line of text.split('\n')) if (/[0-9A-F]{64}/.test(line)) assert.match(line, /^certpin_certificate_info/);
  assert.equal(lstatSync(metrics).mode & 0o777, 0o644);
  assert.equal(readdirSync(join(metrics, '..')).length, 1);
});

test('--openmetrics -: the metrics are what is printed, and no file has that name', async (t) => {
  const { file, names, lookup } = await startEstate(t);
  const plain = await certpin(['check', '--file', file], { lookup });
  const { stdout, stderr, code } = await certpin(['check', '--file', file, '--openmetrics', '-'], { lookup });
  assert.equal(code, plain.code);
  assert.match(stdout, /^# HELP certpin_check_info [\s\S]*\n# EOF\n$/);
  assert.equal(readMetrics(stdout).get(`certpin_target_holds{file="${file}",target="${names.HOLDS}",id="db-1"}`), 1);
  assert.match(stderr, /certpin: summary: /);
  assert.ok(!existsSync('-'));
  for (const other of ['--json', '--csv', '--junit', '--sarif', '--problems']) {
    const both = await certpin(['check', '--file', file, '--openmetrics', '-', other]);
    assert.match(both.stderr, /--openmetrics - prints the metrics in place of the answer: name a file to have both/);
    assert.deepEqual([both.stdout, both.code], ['', 2]);
  }
});

test('a pins file is not standard input: none is made under the name -', async () => {
  for (const command of [
    ['check', '--file', '-'],
    ['trust', 'tls://127.0.0.1:1', '--file', '-', '--yes'],
    ['trust', '--remove', 'tls://127.0.0.1:1', '--file', '-', '--yes'],
  ]) {
    const { stderr, code } = await certpin(command);
    assert.match(stderr, /--file: a pins file cannot be standard input: give its path/, command.join(' '));
    assert.equal(code, 2);
    assert.ok(!existsSync('-'));
  }
});

test('--openmetrics: two servers of one address differ in their labels, and text is escaped', async (t) => {
  const certificate = await mint();
  const entry = await serve(t, certificate);
  const entries = [entry, { ...entry, servername: 'a.example' }, { ...entry, target: './a"b\\c.crt' }];
  const metrics = writeTemporary(t, 'm.prom', '');
  await certpin(['check', '--file', fileOf(t, entries), '--openmetrics', metrics]);
  const samples = readMetrics(readFileSync(metrics, 'utf8'));
  assert.equal([...samples.keys()].filter((key) => key.startsWith('certpin_target_holds')).length, 3);
  assert.ok([...samples.keys()].some((key) => key.includes('target="./a\\"b\\\\c.crt"')));
});

test('--openmetrics: of a check that was cut off the old file stays; a place that cannot be written is told before', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-night-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const server = await startServer(t);
  const entry = { target: `tls://127.0.0.1:${server.port}`, pins: [certificateHex(server.certificate)] };
  const file = fileOf(t, [entry]);
  const metrics = join(folder, 'certpin.prom');
  writeFileSync(metrics, 'old');
  const interrupt = new AbortController();
  const slow = await startPeer(t, () => interrupt.abort());
  const late = fileOf(t, [entry, { ...entry, target: `tls://127.0.0.1:${slow.port}` }]);
  const cut = await certpin(['check', '--file', late, '--openmetrics', metrics], { interrupt: interrupt.signal });
  assert.equal(cut.code, 130);
  assert.equal(readFileSync(metrics, 'utf8'), 'old');
  const connections = server.connections();
  for (const [place, reason] of [
    [join(folder, 'none/certpin.prom'), /no such folder/],
    [folder, /it is not a regular file/],
    ['/dev/stdout', /it is not a regular file/],
  ] as const) {
    const { stderr, code } = await certpin(['check', '--file', file, '--openmetrics', place]);
    assert.match(stderr, reason);
    assert.equal(code, 2);
  }
  assert.equal(server.connections(), connections);
  // A link is followed.
  symlinkSync('certpin.prom', join(folder, 'link.prom'));
  assert.equal((await certpin(['check', '--file', file, '--openmetrics', join(folder, 'link.prom')])).code, 0);
  assert.ok(lstatSync(join(folder, 'link.prom')).isSymbolicLink());
  assert.match(readFileSync(metrics, 'utf8'), /# EOF\n$/);
  // The collector is another user: who has let it read the file has let it read the next one.
  chmodSync(metrics, 0o640);
  await certpin(['check', '--file', file, '--openmetrics', metrics]);
  assert.equal(lstatSync(metrics).mode & 0o777, 0o640);
});

test('docs/reference/states.md: every state with its exit code, in its order, every remark, every metric', async (t) => {
  const page = readFileSync(new URL('../../../../docs/reference/states.md', import.meta.url), 'utf8');
  const section = (name: string): string => page.split(`\n## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = [...section('States').matchAll(/^\| `([a-z-]+)` \|.*\| (\d)\D[^|]*\|$/gm)].map(([, name, code]) => [
    name,
    code,
  ]);
  const codes = { yes: '0', unasked: '2', no: '1' };
  const known = statuses.map((status) => [status, codes[outcomeOf[status]]]);
  assert.deepEqual(
    rows.filter(([name]) => name !== 'rotated'), // of those who remember
    known,
  );
  const { file, lookup } = await startEstate(t);
  const metrics = writeTemporary(t, 'm.prom', '');
  await certpin(['check', '--file', file, '--openmetrics', metrics], { lookup });
  const families = [...readFileSync(metrics, 'utf8').matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name);
  const named = [...section('Metrics').matchAll(/^\| `(certpin_\w+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(families, named);
  const remarks = [...section('Remarks').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  const ofWatch = ['no-backup-pin', 'next-pin-never-seen', 'same-key', 'address-not-asked'];
  assert.deepEqual(remarks, ['next-pin', 'one-of-several', ...ofWatch, 'end-accepted']);
});
