import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Entry } from '@certpin/pins-file';
import { certificateHex, mint } from '@certpin/testkit';
import { Ajv } from 'ajv';
import type { Io } from '../../src/io.ts';
import { createTextReport } from '../../src/reports/text-report.ts';
import { startPeer, startServer, writeTemporary } from '../peers.ts';
import { certpin, PASSWORD, transcript } from '../transcript.ts';

const OTHER = 'AB'.repeat(32);

interface EntryText {
  readonly target: string;
  readonly pins?: readonly string[];
  readonly issuerPins?: readonly string[];
  readonly [key: string]: unknown;
}

/** One target a line, so that a target stands in the line behind its number. */
const fileOf = (t: TestContext, entries: readonly EntryText[]): string =>
  writeTemporary(
    t,
    'certpin.json',
    `{ "version": 1, "targets": [\n${entries.map((entry) => JSON.stringify(entry)).join(',\n')}\n] }`,
  );

/** A server for each way in which it can end. */
async function startEstate(t: TestContext) {
  const [holds, drift, soon, expired] = await Promise.all([
    startServer(t, await mint({ validToDays: 300 })),
    startServer(t),
    startServer(t, await mint({ validToDays: 5 })),
    startServer(t, await mint({ validFromDays: -9, validToDays: -2 })),
  ]);
  const closed = await startServer(t);
  await closed.close();
  const entry = (server: typeof holds, pin = certificateHex(server.certificate)): EntryText => {
    return { target: `tls://127.0.0.1:${server.port}`, pins: [pin] };
  };
  const entries = [
    entry(holds),
    { ...entry(drift, OTHER), note: 'ask <Anna> & "Ben" ]]> \u0001' },
    entry(soon),
    entry(expired),
    entry(closed),
  ];
  const ports = { HOLDS: holds.port, DRIFT: drift.port, SOON: soon.port, EXPIRED: expired.port, CLOSED: closed.port };
  const names = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, `tls://127.0.0.1:${port}`]));
  return { entries, names, holds, drift };
}

test('the answers are told apart, each in a line, with what has changed; drift wins over unreachable', async (t) => {
  const { entries, names, drift } = await startEstate(t);
  const all = { ...names, FILE: fileOf(t, entries), PRESENTED: certificateHex(drift.certificate), PINNED: OTHER };
  const said = await transcript('check --file FILE', all);
  const lines = said.split('\n');
  assert.match(lines[0] ?? '', /^holds {10}HOLDS {2}299 days left$/);
  assert.match(said, /\ndrift {10}DRIFT {2}the presented certificate is none of the pinned ones\n {2}presented: /);
  assert.match(said, /\n {4}certificate SHA-256: PRESENTED\n/);
  assert.match(said, /\n {2}configured: PINNED \(certificate\)\n/);
  assert.match(said, /\n {2}note: ask <Anna> & "Ben" \]\]> \uFFFD\n/);
  assert.match(said, /\nends-soon {6}SOON {2}it ends in 4 days, on \d{4}-\d\d-\d\d\n/);
  assert.match(said, /\nexpired {8}EXPIRED {2}the validity of the certificate ended /);
  assert.match(said, /\nunreachable {4}CLOSED {2}connection refused: nothing listens there\n/);
  assert.match(
    said,
    /2> certpin: summary: 5 targets, 1 holds, 1 ends soon, 1 unreachable, 1 expired, 1 drifted\nexit 1$/,
  );
  assert.equal(drift.received(), 0);
  const terminal = await certpin(['check', '--file', all.FILE], { terminal: true });
  assert.ok(terminal.stdout.includes('\u001B[31mdrift'));
});

test('exit codes: 0 all hold, 1 one does not, 2 one could not be asked; what ends soon is a warning until it is told to be more', async (t) => {
  const { entries, names } = await startEstate(t);
  const all = { ...names, FILE: fileOf(t, entries) };
  const codes = {
    'check --file FILE -q HOLDS': 0,
    'check --file FILE -q SOON': 0,
    'check --file FILE -q HOLDS SOON --fail-expiring': 1,
    'check --file FILE -q SOON --fail-expiring --expires-within 3': 0,
    'check --file FILE -q EXPIRED': 1,
    'check --file FILE -q DRIFT CLOSED': 1,
  };
  for (const [command, code] of Object.entries(codes)) {
    const said = await transcript(command, all);
    assert.match(said, new RegExp(`^(?:2> certpin: error: CLOSED: .*\n)?exit ${code}$`), command);
  }
  assert.equal(
    await transcript('check --file FILE -q CLOSED HOLDS', all),
    '2> certpin: error: CLOSED: connection refused: nothing listens there\nexit 2',
  );
});

test('each target is judged by its own policy', async (t) => {
  const root = await mint({ ca: true, subject: 'CN=Root' });
  const byIssuer = await startServer(t, await mint({ names: ['db.example'], issuer: root }));
  const expired = await startServer(t, await mint({ validFromDays: -9, validToDays: -2 }));
  const plain = await startServer(t);
  const pin = (server: typeof plain): string[] => [certificateHex(server.certificate)];
  const issuerPins = [root.certPem];
  const target = (server: typeof plain, name = '127.0.0.1'): string => `tls://${name}:${server.port}`;
  const file = fileOf(t, [
    { target: target(byIssuer), issuerPins, servername: 'db.example' },
    { target: target(byIssuer), issuerPins },
    { target: target(expired), pins: pin(expired), expired: 'accept' },
    { target: target(plain), pins: pin(plain), hostnameVerification: 'require', servername: 'elsewhere.example' },
    { target: `127.0.0.1:${plain.port}`, pins: [OTHER, ...pin(plain)], protocol: 'tls' },
  ]);
  const { stdout, code } = await certpin(['check', '--file', file, '--json']);
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    answers.map(({ status, line, ok }) => [status, line, ok]),
    [
      ['ends-soon', 2, true],
      ['drift', 3, false],
      ['holds', 4, true],
      ['drift', 5, false],
      ['ends-soon', 6, true],
    ],
  );
  assert.deepEqual(
    [answers[0].matched, answers[1].code, answers[3].code],
    ['issuer', 'ERR_HOSTNAME_MISMATCH', 'ERR_HOSTNAME_MISMATCH'],
  );
  assert.deepEqual(byIssuer.asked, ['db.example']);
  assert.equal(code, 1);
  // A name of the server finds it under each of its server names.
  const named = await certpin(['check', '--file', file, '--json', target(plain)]);
  assert.equal(named.stdout.trim().split('\n').length, 2);
});

test('--junit: a test case for each target, and nothing that a reader of XML refuses', async (t) => {
  const { entries, names } = await startEstate(t);
  const file = fileOf(t, entries);
  const said = await transcript('check --file FILE --junit', { ...names, FILE: file });
  assert.match(
    said,
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="certpin check" tests="5" failures="2" errors="1" skipped="0" time="[\d.]+">\n/,
  );
  assert.match(
    said,
    /<testcase classname="FILE" name="HOLDS" file="FILE" line="2" time="[\d.]+"><system-out>holds: 299 days left<\/system-out><\/testcase>/,
  );
  assert.match(
    said,
    /name="DRIFT" file="FILE" line="3" time="[\d.]+"><failure type="drift" message="the presented certificate is none of the pinned ones">/,
  );
  assert.match(said, /note: ask &lt;Anna&gt; &amp; &quot;Ben&quot; \]\]&gt; \uFFFD<\/failure>/);
  assert.match(said, /<error type="unreachable" message="connection refused: nothing listens there">/);
  assert.match(said, /\n<\/testsuites>\n2> certpin: summary: .*\nexit 1$/);
  const { stdout } = await certpin(['check', '--file', file, '--junit', '--fail-expiring']);
  assert.match(stdout, / failures="3" .*<failure type="ends-soon" /s);
  assertXml(stdout);
});

/** Tags in pairs, attributes in quotes, and none of the characters that XML 1.0 §2.2 leaves out. */
function assertXml(text: string): void {
  const open: string[] = [];
  const rest = text
    .replace(/^<\?xml[^>]*\?>/, '')
    .replace(
      /<(\/?)(\w[\w-]*)((?: \w+="[^"<]*")*)(\/?)>/g,
      (_tag, isEnd: string, name: string, _attributes, isEmpty: string) => {
        if (isEnd) assert.equal(open.pop(), name);
        else if (!isEmpty) open.push(name);
        return '';
      },
    );
  assert.deepEqual(open, []);
  assert.doesNotMatch(rest, /[<>]|&(?!(?:amp|lt|gt|quot|apos);)/);
  assert.doesNotMatch(text, /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u);
}

// What SARIF 2.1.0 asks of the parts that certpin writes: §3.13, 3.14, 3.18, 3.19, 3.20, 3.27, 3.28, 3.29, 3.30, 3.49.
const text = { type: 'object', required: ['text'], properties: { text: { type: 'string', minLength: 1 } } };
const level = { enum: ['none', 'note', 'warning', 'error'] };
const list = (items: object): object => ({ type: 'array', items });
const closed = (properties: Record<string, object>): object => {
  return { type: 'object', additionalProperties: false, required: Object.keys(properties), properties };
};
const isSarif = new Ajv().compile(
  closed({
    $schema: { type: 'string' },
    version: { const: '2.1.0' },
    runs: list(
      closed({
        tool: closed({
          driver: closed({
            name: { type: 'string' },
            version: { type: 'string' },
            rules: list(
              closed({ id: { type: 'string' }, shortDescription: text, defaultConfiguration: closed({ level }) }),
            ),
          }),
        }),
        invocations: list(closed({ executionSuccessful: { type: 'boolean' } })),
        columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
        results: list(
          closed({
            ruleId: { type: 'string' },
            ruleIndex: { type: 'integer', minimum: 0 },
            level,
            message: text,
            locations: list(
              closed({
                physicalLocation: closed({
                  artifactLocation: closed({ uri: { type: 'string', pattern: "^[\\w.~:/%@!$&'()*+,;=-]+$" } }),
                  region: closed({
                    startLine: { type: 'integer', minimum: 1 },
                    startColumn: { type: 'integer', minimum: 1 },
                  }),
                }),
              }),
            ),
            partialFingerprints: { type: 'object', additionalProperties: { type: 'string' } },
          }),
        ),
      }),
    ),
  }),
);

test('--sarif: a result for what does not hold, at its line of the pins file', async (t) => {
  const { entries, names } = await startEstate(t);
  const { stdout, code } = await certpin(['check', '--file', fileOf(t, entries), '--sarif']);
  const log = JSON.parse(stdout);
  const { runs } = log;
  assert.ok(isSarif(log), JSON.stringify(isSarif.errors));
  const [{ tool, results, invocations }] = runs;
  const found = results as { ruleId: string; level: string; locations: [{ physicalLocation: { region: object } }] }[];
  assert.deepEqual(
    found.map(({ ruleId, level, locations: [{ physicalLocation }] }) => [ruleId, level, physicalLocation.region]),
    [
      ['drift', 'error', { startLine: 3, startColumn: 1 }],
      ['ends-soon', 'warning', { startLine: 4, startColumn: 1 }],
      ['expired', 'error', { startLine: 5, startColumn: 1 }],
      ['unreachable', 'warning', { startLine: 6, startColumn: 1 }],
    ],
  );
  for (const { ruleId, ruleIndex } of results) assert.equal(tool.driver.rules[ruleIndex].id, ruleId);
  assert.ok(results[0].message.text.startsWith(`${names.DRIFT}: the presented certificate is none`));
  assert.match(results[0].locations[0].physicalLocation.artifactLocation.uri, /^file:\/\/\/.*\/certpin\.json$/);
  assert.deepEqual([invocations, code], [[{ executionSuccessful: true }], 1]);
});

test('--csv: a row for each target', async (t) => {
  const { entries } = await startEstate(t);
  entries[1] = { ...(entries[1] as EntryText), note: '=HYPERLINK("x"), y' };
  const { stdout } = await certpin(['check', '--file', fileOf(t, entries), '--csv']);
  const [header, holds, drift, , , unreachable] = stdout.split('\r\n');
  assert.match(
    header ?? '',
    /^target,protocol,ok,status,code,reason,certificate_sha256,.*,line,note,address,days_left$/,
  );
  assert.match(
    holds ?? '',
    /^tls:\/\/127\.0\.0\.1:\d+,tls,true,holds,,299 days left,[0-9A-F]{64},.*,2,,127\.0\.0\.1,299$/,
  );
  assert.match(drift ?? '', /,tls,false,drift,ERR_PIN_MISMATCH,.*,3,"'=HYPERLINK\(""x""\), y",127\.0\.0\.1,29$/);
  assert.match(
    unreachable ?? '',
    /,tls,false,unreachable,ECONNREFUSED,connection refused: nothing listens there,,.*,6,,,$/,
  );
});

test('what was not asked is told: Ctrl-C, and the end of the total time', async (t) => {
  const server = await startServer(t);
  const interrupt = new AbortController();
  const slow = await startPeer(t, () => interrupt.abort());
  const good = { target: `tls://127.0.0.1:${server.port}`, pins: [certificateHex(server.certificate)] };
  const late = { target: './late.crt', pins: [OTHER] };
  const file = fileOf(t, [good, { ...good, target: `tls://127.0.0.1:${slow.port}` }, late]);
  const argv = ['check', '--file', file, '--junit', '--concurrency', '1'];
  const cut = await certpin(argv, { interrupt: interrupt.signal });
  assert.match(
    cut.stdout,
    / tests="3" failures="0" errors="0" skipped="2" time="[\d.]+">.*<skipped message="it was not asked"\/>/s,
  );
  assert.match(cut.stderr, /summary: 1 target, 1 ends soon; the others were not waited for\n$/);
  assert.equal(cut.code, 130);
  const over = await certpin([...argv.slice(0, 3), '--sarif', '--concurrency', '1', '--total-timeout', '0.4']);
  const [run] = JSON.parse(over.stdout).runs;
  assert.deepEqual(run.invocations, [{ executionSuccessful: false }]);
  assert.match(over.stderr, /error: the total time was over before every target was asked\n$/);
  assert.equal(over.code, 2);
  // Nobody read the answers, so nobody was asked: that is not the answer that all hold.
  assert.deepEqual(await certpin(['check', '--file', file], { closed: true }), { stdout: '', stderr: '', code: 2 });
});

test('a reader that stops is no error: the exit code is that of the answers', async (t) => {
  for (const [pin, code] of [
    [undefined, 0],
    [OTHER, 1],
  ] as const) {
    const server = await startServer(t);
    const pins = [pin ?? certificateHex(server.certificate)];
    const targets = ['127.0.0.1', 'localhost', '[::1]'].map((host) => ({
      target: `tls://${host}:${server.port}`,
      pins,
    }));
    const argv = ['check', '--file', fileOf(t, targets), '--csv', '--concurrency', '1'];
    const said = await certpin(argv, { closed: () => server.connections() > 0 });
    assert.equal(said.code, code, JSON.stringify(said));
    assert.equal(said.stdout.split('\r\n').filter((line) => line.startsWith('tls://')).length, 1);
  }
});

test('a thousand targets: no more at a time than asked for, and the order of the file', async (t) => {
  const open = new Set<Socket>();
  let most = 0;
  const { port } = await startPeer(t, (socket) => {
    most = Math.max(most, open.add(socket).size);
    socket.once('close', () => open.delete(socket));
    socket.end('no TLS');
  });
  const entries = Array.from({ length: 1000 }, (_, index) => {
    return { target: `tls://127.0.0.1:${port}`, servername: `host-${index}.example`, pins: [OTHER] };
  });
  const argv = ['check', '--file', fileOf(t, entries), '--json', '--concurrency', '16'];
  const { stdout, stderr, code } = await certpin(argv);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).line);
  assert.deepEqual(
    lines,
    entries.map((_, index) => index + 2),
  );
  assert.match(stderr, /summary: 1000 targets, 1000 unreachable\n$/);
  assert.equal(code, 2);
  assert.ok(most <= 16, `${most} at a time`);
});

test('as many targets as a pins file can hold are no more than a function can take', async () => {
  const entry = { label: 'h:1' } as Entry;
  const io = { stdoutIsTerminal: false, env: {} } as Io;
  const document = {
    path: 'certpin.json',
    text: '',
    version: 1,
    expiresWithin: undefined,
    entries: Array.from({ length: 200_000 }, () => entry),
  } as const;
  assert.doesNotThrow(() => createTextReport({ io, document, asked: document.entries, failExpiring: false }));
});

test('mistakes are told before anybody is connected to: exit 2', async (t) => {
  const server = await startServer(t);
  const good = { target: `tls://127.0.0.1:${server.port}`, pins: [OTHER] };
  const FILE = fileOf(t, [good]);
  const help = (error: string): string => `2> certpin: error: ${error}\n2> certpin: hint: certpin help check\nexit 2`;
  const said = 'the pins file says it for each target';
  const mistakes = {
    'check --file FILE --pin AA': help(`--pin does not go with --file: ${said}`),
    'check --file FILE --accept-expired': help(`--accept-expired does not go with --file: ${said}`),
    'check --file FILE --servername x': help(`--servername does not go with --file: ${said}`),
    'check --file FILE --expires-within soon': help(
      '--expires-within takes a time, or a share of the lifetime: 30d, 36h, 25%',
    ),
    'check --file FILE --junit --sarif': help("option '--junit' cannot be used with option '--sarif'"),
    'check a:1 --pin AA --junit': help('--junit goes with --file'),
    'check a:1 --pin AA --retries 2': help('--retries goes with --file'),
    'check a:1 b:1': help('check takes one target; several stand in a pins file: --file'),
    'check --file none.json':
      '2> certpin: error: none.json: no such file\n2> certpin: hint: certpin help trust\nexit 2',
    'check --file EMPTY': '2> certpin: error: EMPTY: there is no target in it\nexit 2',
    'check --file TWICE': '2> certpin: error: TWICE:3:1: this target is in line 2 already\nexit 2',
  };
  const names = { FILE, EMPTY: fileOf(t, []), TWICE: fileOf(t, [good, good]) };
  for (const [command, expected] of Object.entries(mistakes)) {
    assert.equal(await transcript(command, names), expected, command);
  }
  assert.equal(
    await transcript('check --file FILE db.example.com', names),
    help(`db.example.com is not in FILE; it has ${good.target}`),
  );
  for (const target of [`postgres://me:${PASSWORD}@db`, `host=db password=${PASSWORD}`, 'x\u001B[2J']) {
    const hostile = fileOf(t, [{ target, pins: [OTHER] }]);
    const { stdout, stderr, code } = await certpin(['check', '--file', hostile]);
    assert.match(stderr, /certpin\.json:2:11: "target" is a server or a file, without login/);
    assert.ok(!stderr.includes('\u001B'));
    assert.deepEqual({ stdout, code }, { stdout: '', code: 2 });
  }
  assert.equal(server.connections(), 0);
});
