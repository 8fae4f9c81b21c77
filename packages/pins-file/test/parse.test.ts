import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { mint } from '@certpin/testkit';
import { Ajv } from 'ajv';
import { formatPin, parsePin } from 'certpin';
import { protocols } from 'certpin/probe';
import fc from 'fast-check';
import { parsePinsFile } from '../src/parse.ts';

const schema = JSON.parse(readFileSync(new URL('../pins.schema.json', import.meta.url), 'utf8'));
const validate = new Ajv({ strict: true, strictRequired: false }).compile(schema);

const HEX = 'A7'.repeat(32);
const KEY = formatPin(parsePin(`sha256:${HEX}`));

/** undefined: accepted. */
function refusal(text: string): string | undefined {
  try {
    parsePinsFile(text, 'p.json');
    return undefined;
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'ERR_FILE_UNREADABLE', String(error));
    return (error as Error).message;
  }
}

const entry = { target: 'db.example.com:5432', pins: [HEX] };
const withEntry = (changes: object): object => ({ version: 1, targets: [{ ...entry, ...changes }] });
const without = (key: string): object => withEntry({ [key]: undefined });

const good: object[] = [
  { version: 1, targets: [] },
  { $schema: './pins.schema.json', version: 1, targets: [entry, { ...entry, target: 'api.example.com' }] },
  withEntry({ note: 'ask Anna \u0007', expired: 'accept', hostnameVerification: 'require', protocol: 'mysql' }),
  { version: 1, targets: [entry, { ...entry, servername: 'other.example' }] },
  { version: 1, targets: [{ target: './certs/a b.crt', issuerPins: [KEY] }] },
  withEntry({ target: 'mysql+unix:/run/mysqld.sock', issuerPins: [HEX], pins: [KEY] }),
];

const bad: Record<string, unknown> = {
  '1:1: an object is expected': [],
  '1:1: "version": 1 is missing': { targets: [] },
  '1:12: version 3 of the format needs a newer certpin; this one reads version 1 and 2': {
    version: 3,
    targets: [],
    other: 1,
  },
  '1:1: "targets" is missing': { version: 1 },
  '1:24: a list in brackets is expected': { version: 1, targets: {} },
  '1:25: an object is expected': { version: 1, targets: ['db.example.com'] },
  '1:14: unknown key "target"; did you mean "targets"?': { version: 1, target: [] },
  '1:14: unknown key': { version: 1, 'postgres://me:correct-horse@db/': [] },
  '1:25: "pins" is missing': without('pins'),
  '1:25: "target" is missing': without('target'),
  '1:64: there is no pin in the list': withEntry({ pins: [] }),
  '1:65: a string is expected': withEntry({ pins: [7] }),
  '1:64: a list in brackets is expected': withEntry({ pins: HEX }),
  '1:65: the pin cannot be used: 62 hex digits; a SHA-256 has 64': withEntry({ pins: ['AB'.repeat(31)] }),
  [`1:65: in a pins file, this pin is written ${HEX}`]: withEntry({ pins: [`${HEX} # current`] }),
  '1:26: unknown key "pin"; did you mean "pins"?': { version: 1, targets: [{ pin: [HEX] }] },
  '1:143: "expired" is one of refuse, accept; did you mean "accept"?': withEntry({ expired: 'acept' }),
  '1:144: a string is expected': withEntry({ protocol: null }),
  '1:146: "servername" is a host name': withEntry({ servername: 'a b' }),
  '1:140: a string is expected': withEntry({ note: ['x'] }),
};
const TARGET = '"target" is a server or a file, without login, @, = and control characters';
for (const target of [
  'postgres://me:correct-horse@db.example.com',
  'host=db password=correct-horse',
  '-',
  '',
  'a\u001B[2J',
]) {
  bad[`1:35: ${TARGET}${' '.repeat(Object.keys(bad).length)}`] = withEntry({ target });
}

test('what the parser takes, the schema takes, and what one refuses, the other does', () => {
  for (const value of good) {
    const text = JSON.stringify(value);
    assert.equal(refusal(text), undefined, text);
    assert.ok(validate(JSON.parse(text)), JSON.stringify(validate.errors));
  }
  for (const [message, value] of Object.entries(bad)) {
    const text = JSON.stringify(value);
    assert.equal(refusal(text), `p.json:${message.trim()}`, text);
    assert.ok(!validate(JSON.parse(text)), text);
  }
});

test('every spelling of a pin that formatPin prints is a pin in the file, but for bare base64', async () => {
  const { certPem, keys, x509 } = await mint();
  const publicKey = x509.publicKey.export({ type: 'spki', format: 'pem' });
  assert.ok(keys);
  const ofCertificate = (['hex', 'colon', 'openssl', 'tlsa'] as const).map((one) => formatPin(parsePin(HEX), one));
  const ofKey = (['okhttp', 'curl', 'hpkp', 'kubeadm', 'tlsa'] as const).map((one) => formatPin(parsePin(KEY), one));
  const bare = (['base64', 'base64url'] as const).map((one) => formatPin(parsePin(KEY), one));
  for (const pin of [...ofCertificate, ...ofKey, certPem, publicKey, HEX.toLowerCase(), `SHA-256:${HEX}`]) {
    const value = withEntry({ pins: [pin] });
    assert.equal(refusal(JSON.stringify(value)), undefined, String(pin));
    assert.ok(validate(value), String(pin));
  }
  for (const pin of [...bare, `${HEX},${HEX}`, ` ${HEX}`, `\u200B${HEX}`, `${HEX}\n${KEY}`]) {
    const value = withEntry({ pins: [pin] });
    assert.ok(refusal(JSON.stringify(value)), pin);
    assert.ok(!validate(value), pin);
  }
});

test('the schema and the parser agree on whatever is put into a file', () => {
  const pin = fc.oneof(
    fc.constantFrom(
      HEX,
      KEY,
      KEY.replace('/', '//'),
      `pin-sha256="${KEY.slice(7)}"`,
      `3 1 1 ${HEX}`,
      `2 1 1 ${HEX}`,
      '',
      'x',
    ),
    fc.uint8Array({ minLength: 31, maxLength: 33 }).map((bytes) => `sha256/${Buffer.from(bytes).toString('base64')}`),
    fc.uint8Array({ minLength: 31, maxLength: 33 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    fc.stringMatching(/^sha256\/{1,2}[A-Za-z0-9+/_-]{41,44}={0,3}$/),
  );
  const anything = fc.oneof(
    pin,
    fc.array(pin),
    fc.constantFrom('refuse', 'require', 'tls', 'a.b:1', '[::1]:2', null, 1, {}),
  );
  const some = fc.dictionary(
    fc.constantFrom(
      'target',
      'pins',
      'issuerPins',
      'expired',
      'protocol',
      'servername',
      'note',
      'Pins',
      'hostnameVerification',
    ),
    anything,
  );
  const likely = fc.record(
    { target: fc.constant('a.b:1'), pins: fc.array(pin, { maxLength: 2 }) },
    { requiredKeys: [] },
  );
  const file = fc.oneof(
    some,
    fc.tuple(likely, some).map(([one, other]) => ({ ...other, ...one })),
  );
  fc.assert(
    fc.property(file, (value) => {
      // What stands in a target beyond its characters is certpin's affair.
      const target = (value as { target?: unknown }).target;
      fc.pre(typeof target !== 'string' || target === '' || /^(?:a\.b|\[::1\]):\d$/.test(target));
      const text = JSON.stringify({ version: 1, targets: [value] });
      assert.equal(refusal(text) === undefined, validate(JSON.parse(text)), `${text} ${refusal(text)}`);
    }),
    { numRuns: 500 },
  );
});

test('what only certpin can tell: the target itself, a certificate, what stands there twice', () => {
  const twice =
    '{"version":1,"targets":[\n{"target":"DB.example.com.:443","pins":["PIN"]},\n{"target":"https://db.example.com","pins":["PIN"]}]}';
  const addresses =
    '{"version":1,"targets":[\n{"target":"[2001:db8::1]","pins":["PIN"]},\n{"target":"[fe80::1%a]","pins":["PIN"]},' +
    '\n{"target":"[fe80::1%b]","pins":["PIN"]},\n{"target":"[2001:DB8:0:0::1]:443","pins":["PIN"]}]}';
  const mistakes = {
    [addresses.replaceAll('PIN', HEX)]: '5:1: this target is in line 2 already',
    [twice.replaceAll('PIN', HEX)]: '3:1: this target is in line 2 already',
    '{"version":1,"version":1,"targets":[]}': '1:14: "version" is given twice',
    [JSON.stringify(withEntry({ target: 'db:70000' }))]:
      '1:35: the target cannot be used: a port must be a number from 1 to 65535',
    [JSON.stringify(withEntry({ pins: ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'] }))]:
      '1:65: the pin cannot be used: a certificate that cannot be read',
  };
  for (const [text, message] of Object.entries(mistakes)) {
    assert.equal(refusal(text), `p.json:${message}`);
    if (!text.includes('"version":1,"version"')) assert.ok(validate(JSON.parse(text)), text);
  }
});

test('a file of a later version is refused before its keys are looked at, and the certpin that is needed is named', () => {
  const later = (version: number): string =>
    `version ${version} of the format needs a newer certpin; this one reads version 1 and 2`;
  const whole = '"version" is 1 or 2: a whole number, without quotes';
  const revoked = [{ pin: HEX, since: '2026-11-29' }];
  const versions: [unknown, string][] = [
    ...[3, 4, 17].map((version): [unknown, string] => [version, later(version)]),
    ...['1', '2', '', 1.5, 0, -1, 0.1, null, true, [1], { major: 1 }].map((one): [unknown, string] => [one, whole]),
  ];
  for (const [version, message] of versions) {
    const value = { version, deliver: 7, targets: [{ ...entry, id: 'db', expiresWithin: '25%', revoked }] };
    assert.equal(refusal(JSON.stringify(value)), `p.json:1:12: ${message}`);
    assert.ok(!validate(value));
  }
  assert.equal(refusal('{"version":1e999,"targets":[]}'), `p.json:1:12: ${whole}`);
  assert.equal(refusal('{"version":1.0,"targets":[]}'), undefined);
  assert.throws(() => parsePinsFile('{"version":3}', 'p.json'), { hint: 'npm install --global @certpin/cli@latest' });
  assert.throws(() => parsePinsFile('{"version":"2"}', 'p.json'), { hint: undefined });
  // What comes with version 2 is a mistake in version 1, and the message says which.
  for (const key of ['id', 'deliver', 'expiresWithin', 'interval', 'revoked']) {
    assert.equal(
      refusal(JSON.stringify({ version: 1, targets: [{ [key]: 1 }] })),
      `p.json:1:26: "${key}" needs "version": 2, and this file says 1`,
    );
  }
  for (const key of ['expiresWithin', 'interval']) {
    assert.equal(
      refusal(JSON.stringify({ version: 1, [key]: '1d', targets: [] })),
      `p.json:1:14: "${key}" needs "version": 2, and this file says 1`,
    );
  }
});

test('what is no JSON: the line and the column of the first mistake, and nothing of the text', () => {
  const mistakes = {
    '': '1:1: it is not JSON: value expected',
    '// nothing\n': '2:1: it is not JSON: value expected',
    'DB_PINS=correct-horse\n': '1:1: it is not JSON: invalid symbol',
    '{\r\n  "version": 1\r\n  "targets": []\r\n}': '3:3: it is not JSON: comma expected',
    '{ "version": 1, "targets": [ }': '1:30: it is not JSON: value expected',
    '{ "version": 1, "targets": [] } x': '1:33: it is not JSON: invalid symbol',
    '{ "version": 1, "targets": ["a\u0000"] }': '1:29: it is not JSON: invalid character',
    ['['.repeat(200_000)]: '1:1: it is nested too deeply',
    '{ "version": 1, /* ': '1:17: it is not JSON: unexpected end of comment',
  };
  for (const [text, message] of Object.entries(mistakes))
    assert.equal(refusal(text), `p.json:${message}`, text.slice(0, 60));
});

test('comments, trailing commas, a byte order mark; line and column of each target', () => {
  const text = `\uFEFF{ // known servers\r\n"version": 1, "targets": [\r\n  /* db */ {"target": "a:1", "pins": ["${HEX}",],},\r\n],}`;
  const [first] = parsePinsFile(text, 'p.json').entries;
  assert.deepEqual([first?.line, first?.column, first?.label], [3, 12, 'a:1']);
});

test('the protocols of the schema are those of the probe', () => {
  assert.deepEqual(schema.definitions.entry.properties.protocol.enum, protocols);
});

const tenant = 'acme.eu.example.com';
const place = { kind: 'configuration', tenant, connection: 'customers', key: 'DB_PINS' };
const second = (changes: object, file: object = {}): object => ({
  version: 2,
  ...file,
  targets: [{ ...entry, ...changes }],
});
const REVOKED = { pin: 'B8'.repeat(32), since: '2027-03-01' };

test('version 2: its keys are read, and the schema and the parser take and refuse the same', () => {
  const taken: object[] = [
    second({}, { expiresWithin: '25%', interval: '1h' }),
    second({
      id: 'customer-db',
      revoked: [REVOKED, { ...REVOKED, pin: KEY, since: '2027-03-01T12:00Z', reason: 'x' }],
    }),
    second({ expiresWithin: '36h', interval: '10s', note: 'x' }),
    second({ expiresWithin: '0d' }),
    second({ expired: 'accept' }, { expiresWithin: '9d' }),
    second({
      id: 'a',
      deliver: [
        place,
        { kind: 'secret', tenant, action: 'Log in', key: 'PINS' },
        { kind: 'script', tenant, connection: 'customers', script: 'login' },
        { kind: 'action-code', tenant, action: 'Log in' },
        { kind: 'file', path: 'deploy/a.env', format: 'env', key: 'DB_PINS' },
        { kind: 'file', path: 'deploy/a.json', format: 'json', key: '/db/pins' },
        { kind: 'command', command: ['deploy', '--now'] },
      ],
    }),
  ];
  for (const value of taken) {
    const text = JSON.stringify(value);
    assert.equal(refusal(text), undefined, text);
    assert.ok(validate(JSON.parse(text)), `${text} ${JSON.stringify(validate.errors)}`);
  }
  const refused: [RegExp, object][] = [
    [/"id" may contain only lower-case letters/, second({ id: 'Customer DB' })],
    [/"since" is missing/, second({ revoked: [{ pin: KEY }] })],
    [/"pin" is missing/, second({ revoked: [{ since: '2027-03-01' }] })],
    [/"since" must be a date/, second({ revoked: [{ ...REVOKED, since: 'March' }] })],
    [/unknown key "pins"; did you mean "pin"\?/, second({ revoked: [{ ...REVOKED, pins: [] }] })],
    [/there is no pin in the list/, second({ revoked: [] })],
    [/the pin cannot be used: 62 hex digits/, second({ revoked: [{ ...REVOKED, pin: 'AB'.repeat(31) }] })],
    ...['30', '0h', '100%', '0%', '-1d', '1.5d', ''].map((expiresWithin): [RegExp, object] => [
      /"expiresWithin" must be a time or a share/,
      second({ expiresWithin }),
    ]),
    [/"expiresWithin" has no meaning with "expired": "accept"/, second({ expiresWithin: '1d', expired: 'accept' })],
    [/"interval" must be a time/, second({ interval: '5 minutes' })],
    [/"kind" is one of .*; did you mean "secret"\?/, second({ deliver: [{ ...place, kind: 'secrets' }] })],
    [/"key" is missing/, second({ deliver: [{ ...place, key: undefined }] })],
    [/unknown key "action"/, second({ deliver: [{ ...place, action: 'x' }] })],
    [/"tenant" cannot be used/, second({ deliver: [{ ...place, tenant: 'https://acme' }] })],
    [/"format" is one of env, json/, second({ deliver: [{ kind: 'file', path: 'a', format: 'yaml', key: 'A' }] })],
    [/there is no place in the list/, second({ deliver: [] })],
    [/an object is expected/, second({ deliver: ['x'] })],
    [/unknown key "interval2"/, second({}, { interval2: '1d' })],
  ];
  for (const [message, value] of refused) {
    const text = JSON.stringify(value);
    assert.match(refusal(text) ?? '', message, text);
    assert.ok(!validate(JSON.parse(text)), text);
  }
});

test('version 2: what only certpin can tell', async () => {
  const { certPem, x509 } = await mint();
  const spki = x509.publicKey.export({ type: 'spki', format: 'der' });
  const key = formatPin(parsePin(`sha256:${createHash('sha256').update(spki).digest('hex')}`));
  const since = '2027-03-01';
  const twice = 'this pin is revoked, but the target still has it among its pins: remove it there';
  const mistakes: [string, object][] = [
    // In whatever spelling, in either list, and the key of a certificate that stands there whole.
    [twice, second({ revoked: [{ pin: HEX.toLowerCase(), since }] })],
    [twice, second({ issuerPins: [KEY], revoked: [{ pin: KEY.replace('/', '//'), since }] })],
    [twice, second({ pins: [certPem], revoked: [{ pin: key, since }] })],
    [twice, second({ issuerPins: [certPem], revoked: [{ pin: key, since }] })],
    ['"since" must be a date', second({ revoked: [{ ...REVOKED, since: '2027-02-30' }] })],
    ['"interval" must be a time from "10s" to "7d"', second({ interval: '9s' })],
    ['"interval" must be a time from "10s" to "7d"', second({ interval: '8d' })],
    ['"path" must not lead out', second({ deliver: [{ kind: 'file', path: 'a/../../b', format: 'env', key: 'A' }] })],
    ['"path" must not lead out', second({ deliver: [{ kind: 'file', path: '/etc/x', format: 'env', key: 'A' }] })],
    ['the file has this place already', second({ deliver: [place, { ...place }] })],
    [
      'needs one: its line ends with // certpin: ID',
      second({ deliver: [{ kind: 'action-code', tenant, action: 'x' }] }),
    ],
    [
      'the target of line 1 has this "id" already',
      {
        version: 2,
        targets: [
          { ...entry, id: 'a' },
          { ...entry, target: 'b:1', id: 'a' },
        ],
      },
    ],
    [
      'its "id" is the address of the target of line 1',
      {
        version: 2,
        targets: [
          { ...entry, id: 'db' },
          { ...entry, target: 'DB' },
        ],
      },
    ],
  ];
  for (const [message, value] of mistakes) assert.ok((refusal(JSON.stringify(value)) ?? '').includes(message), message);
});

test('the name of a cluster is no target of the file: each of its servers is one', () => {
  const text = JSON.stringify({ version: 1, targets: [{ target: 'mongodb+srv://cluster.example.com', pins: [HEX] }] });
  assert.match(
    refusal(text) ?? '',
    /^p\.json:1:35: mongodb\+srv:\/\/ stands for several servers, .*; give each as mongodb:\/\/host:port/,
  );
});
