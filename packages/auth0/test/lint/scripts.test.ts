// Scripts in the shapes that people write, right, wrong and hostile: what all rules together say of them.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { lintText } from '../../src/lint/index.ts';

const folder = new URL('./scripts/', import.meta.url);

describe('scripts of the other databases and directories', () => {
  for (const file of readdirSync(folder)) {
    for (const section of readFileSync(new URL(file, folder), 'utf8').split(/^=== /m).slice(1)) {
      const [heading = '', ...lines] = section.trimEnd().split('\n');
      const [, title, path = 'script.js'] = /^(.*?)(?: \(path: (.*)\))?$/.exec(heading) ?? [];
      // A line ends with the rules that find it: `// finds: require-tls, no-dead-modules`
      const expected = lines.flatMap((line, index) =>
        (/\/\/ finds: (.*)$/.exec(line)?.[1]?.split(', ') ?? []).map((rule) => `${index + 1} ${rule}`),
      );
      it(`${file}: ${title}`, () => {
        const { findings, error } = lintText(`${lines.join('\n')}\n`, { path });
        assert.equal(error, undefined);
        assert.deepEqual(findings.map(({ line, rule }) => `${line} ${rule}`).sort(), expected.sort());
      });
    }
  }
});

describe('the next step', () => {
  const instead = (code: string, path: string, rule: string): string =>
    lintText(code, { path, rules: [rule] }).findings[0]?.instead ?? '';
  const login = 'database-connections/users/login.js';
  const script = (body: string): string => `function login(email, password, callback) {\n  ${body}\n}\n`;

  it("in place of a removed driver, names the version that Auth0's templates require", () => {
    for (const version of ['1.11.0', '6.6.2', '8.3.1', '9.2.1'])
      assert.match(
        instead(script(`const tedious = require('tedious@${version}');`), login, 'no-dead-modules'),
        /^Write require\('tedious@11\.0\.3'\)/,
      );
    assert.match(
      instead(script("const { MongoClient } = require('mongodb@3.1.4');"), login, 'no-dead-modules'),
      /^Write require\('mongodb@5\.1\.0'\)/,
    );
    assert.match(
      instead(script('new sqlserver.Connection(settings);'), login, 'no-dead-modules'),
      /require\('tedious@11\.0\.3'\)/,
    );
  });

  it('says of tedious 1 alone that no pin is possible', () => {
    const [old, newer] = ['1.11.0', '9.2.1'].map(
      (version) =>
        lintText(`require('tedious@${version}');`, { rules: ['no-dead-modules'] }).findings[0]?.message ?? '',
    );
    assert.match(old ?? '', /No pin is possible with it\.$/);
    assert.doesNotMatch(newer ?? '', /pin/);
  });

  it('of a script that can require no package is a block, or where else to pin', () => {
    const advice = (driver: string, make: string): string =>
      instead(script(`const { ${make.split('(')[0]} } = require('${driver}'); new ${make};`), login, 'require-tls');
    assert.match(advice('pg', "Client({ host: 'db' })"), /certpin auth0 block pg --insert/);
    assert.match(advice('ioredis', "Redis({ host: 'cache' })"), /certpin\/redis, in an API of your own/);
    assert.match(
      instead("const Redis = require('ioredis');\nnew Redis({ host: 'cache' });\n", 'src/cache.js', 'require-tls'),
      /certpin \(certpin\/redis\), or verify it: tls: \{ ca \}/,
    );
  });
});
