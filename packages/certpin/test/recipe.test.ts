import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CaseResult } from '@certpin/testkit/conformance';

/**
 * The conformance suite, run against the technique that people follow today. A suite that cannot fail proves nothing; this one
 * finds what is wrong with it.
 */
const script = fileURLToPath(import.meta.resolve('@certpin/testkit/recipe'));
const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], { timeout: 240_000 });
const report = JSON.parse(stdout) as Record<'https' | 'pg' | 'mysql2' | 'announced', CaseResult[]>;

function resultOf(client: keyof typeof report, name: string): CaseResult {
  const found = report[client].find((entry) => entry.case === name);
  assert.ok(found, name);
  return found;
}

const anotherOfTheCa = 'a certificate of a trusted CA for the right name is refused where it is not the pinned one';

for (const client of ['https', 'pg'] as const) {
  const result = (name: string): CaseResult => resultOf(client, name);
  describe(`a throwing identity check on ${client} fails the suite`, () => {
    test('it refuses the right self-signed certificate', () => {
      const { failure, message } = result('a self-signed certificate connects by its certificate pin');
      assert.equal(failure, 'refused-the-right-server');
      assert.match(message, /self-signed certificate/);
    });

    test('where the chain is trusted, the throw is an uncaught exception and the password reaches the wrong server', () => {
      const { failure, message, uncaught } = result(anotherOfTheCa);
      assert.equal(failure, 'leaked');
      assert.match(message, /the password among them/);
      assert.ok(uncaught.length > 0);
    });

    test('it knows no backup pin, no CA pin and no date to accept', () => {
      for (const name of [
        'a backup pin connects',
        'a leaf connects by the pin of the CA that signed it',
        'an expired certificate connects where the policy accepts that',
      ]) {
        assert.equal(result(name).failure, 'refused-the-right-server', name);
      }
    });
  });
}

test('a resumed session skips the identity check: the password reaches the impostor', () => {
  const name = "an impostor that can resume the right server's sessions is refused over TLSv1.3";
  const found = report.https.find((entry) => entry.case === name);
  assert.equal(found?.failure, 'leaked');
  assert.deepEqual(found?.uncaught, [], 'nothing was even called');
});

describe('a listener for an event of the connection, on mysql2, fails the suite', () => {
  test('it refuses the right self-signed certificate', () => {
    const { failure } = resultOf('mysql2', 'a self-signed certificate connects by its certificate pin');
    assert.equal(failure, 'refused-the-right-server');
  });

  test('where the chain is trusted, the listener is never called: the password reaches the wrong server', () => {
    const { failure, message, uncaught } = resultOf('mysql2', anotherOfTheCa);
    assert.equal(failure, 'leaked');
    assert.match(message, /the password among them/);
    assert.deepEqual(uncaught, []);
  });

  test('an impostor in the place of the right server gets the password too', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const name = `an impostor that can resume the right server's sessions is refused over ${version}`;
      assert.equal(resultOf('mysql2', name).failure, 'leaked', version);
    }
  });
});

describe('verification off, and a look at announced sockets, on a Node that announces none, fails the suite', () => {
  test('the password reaches every wrong server', () => {
    const wrong = [
      'another key under the same name is refused',
      anotherOfTheCa,
      'a wrong server is refused four times over TLSv1.2',
      'a wrong server is refused four times over TLSv1.3',
      'ten refusals at once bring nothing down',
    ];
    for (const name of wrong) {
      const { failure, message, uncaught } = resultOf('announced', name);
      assert.equal(failure, 'leaked', name);
      assert.match(message, /the password among them/);
      assert.deepEqual(uncaught, [], 'nothing was even called');
    }
  });
});
