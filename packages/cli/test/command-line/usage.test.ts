import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { forms } from '../../src/forms/forms.ts';
import { certpin, PASSWORD, transcript } from '../transcript.ts';

test('mistakes in the command line: exit 2, one error, one hint', async () => {
  const mistakes = {
    get: "missing required argument 'target'|certpin help get",
    'get x.pem --josn': "unknown option '--josn'; did you mean --json?|certpin help get",
    'get x.pem --format hexx': `--format takes one of ${Object.keys(forms).join(', ')}; did you mean hex?|certpin help get`,
    'get x.pem --format mysql': `--format takes one of ${Object.keys(forms).join(', ')}; did you mean mysql2?|certpin help get`,
    'get x.pem --format secret': `--format takes one of ${Object.keys(forms).join(', ')}|certpin help get`,
    completion: "missing required argument 'shell'|certpin help completion",
    'completion zhs': 'shell takes one of bash, zsh, fish; did you mean zsh?|certpin help completion',
    'completoin zsh': "unknown command 'completoin'; did you mean completion?|certpin --help",
    'get x.pem -z': "unknown option '-z'|certpin help get",
    'get x.pem -q --json': "option '-q, --quiet' cannot be used with option '--json'|certpin help get",
    'get x.pem --timeout soon': '--timeout takes a number of seconds, up to 86400; 0 for no limit|certpin help get',
    'get x.pem --timeout -1': '--timeout takes a number of seconds, up to 86400; 0 for no limit|certpin help get',
    'get x.pem --timeout': "option '--timeout <seconds>' argument missing|certpin help get",
    'gte x.pem': "unknown command 'gte'; did you mean get?|certpin --help",
    'help gte': "unknown command 'gte'; did you mean get?|certpin --help",
    'help frobnicate': "unknown command 'frobnicate'|certpin --help",
    'help db.example.com:5432': 'unknown command|certpin --help',
    frobnicate: "unknown command 'frobnicate'|certpin --help",
    'db.example.com:5432': 'unknown command|certpin get db.example.com:5432',
    './a(1).pem': "unknown command|certpin get './a(1).pem'",
    '--frobnicate': "unknown option '--frobnicate'|certpin --help",
    check: 'check needs a target, written before --pin, or --file|certpin help check',
    'check --pin AA db.example.com': 'check needs a target, written before --pin, or --file|certpin help check',
    'check db.example.com': 'check needs a pin: give --pin, --pins-file or --issuer-pin|certpin help check',
    'check a b --json': 'check takes one target; several stand in a pins file: --file|certpin help check',
    trust: "missing required argument 'target'|certpin help trust",
    'trust a:1 --replase': "unknown option '--replase'; did you mean --replace?|certpin help trust",
    'trust a:1 --add --replace': "option '--add' cannot be used with option '--replace'|certpin help trust",
    'rotate start db': "required option '--next <file>' not specified|certpin rotate start --help",
    'rotate next': "missing required argument 'target'|certpin rotate next --help",
    'rotate start db --next x.crt --settle soon':
      '--settle takes a time up to 30d: 24h, 30m|certpin rotate start --help',
    'turst a:1': "unknown command 'turst'; did you mean trust?|certpin --help",
    'check a --pins x': "unknown option '--pins'; did you mean --pin?|certpin help check",
  };
  for (const [command, expected] of Object.entries(mistakes)) {
    const [error, hint] = expected.split('|');
    assert.equal(await transcript(command), `2> certpin: error: ${error}\n2> certpin: hint: ${hint}\nexit 2`, command);
  }
});

test('a password in the wrong place is not repeated', async () => {
  const target = `postgres://me:${PASSWORD}@db.example.com/app`;
  assert.equal(
    await transcript(target),
    '2> certpin: error: unknown command\n2> certpin: hint: certpin get postgres://db.example.com:5432\nexit 2',
  );
  for (const argv of [
    ['get', target, `--password=${PASSWORD}`],
    ['get', target, `-p${PASSWORD}`],
    ['get', target, '--timeout', target],
    ['get', target, '--format', target],
    ['get', target, '--format', `x' is invalid. Allowed choices are ${PASSWORD}`],
    ['completion', target],
    [`me:${PASSWORD}@db/app`],
    [`x\n'${PASSWORD}@`],
    ['help', target],
    ['check', target],
    ['check', target, target],
    ['check', '--pin', target],
    ['check', '--file', '/none.json', target],
    ['trust', `me:${PASSWORD}@db/app`, '--yes'],
    ['trust', '--file', '/none/none.json', target],
    ['check', target, '--pin', PASSWORD],
  ]) {
    const { code, stdout } = await certpin(argv); // looks for the password itself
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' }, argv[0]);
  }
});

test('help: asked for, on stdout and exit 0; not asked for, on stderr and exit 2', async () => {
  const help = await certpin(['--help']);
  assert.deepEqual({ stderr: help.stderr, code: help.code }, { stderr: '', code: 0 });
  assert.match(help.stdout, /^Usage: certpin \[options\] \[command\]\n/);
  assert.deepEqual(await certpin(['help']), help);
  assert.deepEqual(await certpin(['help', 'help']), help);
  assert.deepEqual(await certpin([]), { stdout: '', stderr: help.stdout, code: 2 });
  for (const command of ['get', 'check', 'trust', 'lint', 'completion']) {
    const own = await certpin(['help', command]);
    assert.deepEqual(await certpin([command, '--help']), own);
    assert.match(own.stdout, new RegExp(`\nExamples:\n  certpin ${command} (?:.*\n)*Exit code: 0 `));
    for (const line of own.stdout.split('\n')) assert.ok(line.length <= 120, line);
  }
});

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  assert.equal(await transcript('--version'), `${version}\nexit 0`);
});

test('a scheme that was mistyped: the one that was meant, and no password', async () => {
  const meant = { postgress: 'postgres', mysqll: 'mysql', htps: 'https', maraidb: 'mariadb' };
  for (const [scheme, expected] of Object.entries(meant)) {
    const { stderr, code } = await certpin(['get', `${scheme}://me:${PASSWORD}@db.example.com/app`]);
    assert.match(stderr, new RegExp(`hint: did you mean ${expected}://\\?\n`), scheme);
    assert.equal(stderr.split('did you mean').length, 2, stderr);
    assert.equal(code, 2);
  }
  assert.doesNotMatch((await certpin(['get', 'gopher://db.example.com'])).stderr, /did you mean/);
});

test('help of a command within a group is that command’s', async () => {
  for (const inner of ['start', 'status', 'next', 'abort']) {
    const help = await certpin(['rotate', inner, '--help']);
    assert.deepEqual(await certpin(['help', 'rotate', inner]), help);
    assert.match(
      help.stdout,
      new RegExp(`^Usage: certpin rotate ${inner} (?:.*\n)*\nExamples:\n  certpin rotate ${inner}`),
    );
    for (const line of help.stdout.split('\n')) assert.ok(line.length <= 120, line);
  }
  for (const inner of ['verify', 'new', 'run', 'prove']) {
    assert.deepEqual(await certpin(['help', 'auth0', inner]), await certpin(['auth0', inner, '--help']));
    assert.match((await certpin(['help', 'auth0', inner])).stdout, new RegExp(`^Usage: certpin auth0 ${inner} `));
  }
  assert.match((await certpin(['help', 'auth0', 'verfy'])).stderr, /unknown command 'verfy'; did you mean verify\?/);
  assert.deepEqual(await certpin(['help', 'get', 'check']), await certpin(['get', '--help']));
});
