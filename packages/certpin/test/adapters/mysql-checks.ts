import assert from 'node:assert/strict';
import { type CountingServer, type Failure, failureOf, startScriptedServer } from '@certpin/testkit';
import { hostileMysqlGreetings, mysqlGreeting } from '@certpin/testkit/mysql-script';
import { CertpinError } from '../../src/index.ts';

// What holds of all drivers of MySQL alike.

/** Values of `ssl` that would take the pin away, and the option that the error names. */
export const refusedSsl: readonly (readonly [what: string, ssl: unknown, option: string])[] = [
  ['ssl: false', false, 'ssl'],
  ['ssl: null', null, 'ssl'],
  ['a profile', 'Amazon RDS', 'ssl'],
  ['rejectUnauthorized: true', { rejectUnauthorized: true }, 'rejectUnauthorized'],
  ['checkServerIdentity', { checkServerIdentity: () => undefined }, 'checkServerIdentity'],
  ['an unknown TLS option', { certificate: 'x' }, 'certificate'],
  ['TLS 1.1', { minVersion: 'TLSv1.1' }, 'minVersion'],
];

/** The configuration is refused when it is made, by the name of the option, and the error does not show the secret. */
export function assertRefused(make: () => unknown, option: string, secret: string): void {
  assert.throws(make, (error: CertpinError<'ERR_OPTION_INVALID'>) => {
    assert.equal(error.code, 'ERR_OPTION_INVALID');
    assert.equal(error.details.option, option);
    assert.ok(!`${error.message}${error.stack}`.includes(secret) && error.cause === undefined);
    return true;
  });
}

/** The driver hands on our error as it is, the wrong server got nothing, and the error does not show the secret. */
export function assertMismatch(error: Failure, server: CountingServer, secret: string): void {
  assert.ok(error instanceof CertpinError, String(error));
  assert.equal(error.code, 'ERR_PIN_MISMATCH');
  assert.match(error.message, new RegExp(`^pin mismatch for 127.0.0.1:${server.port}`));
  assert.equal(server.received(), 0);
  assert.ok(!`${error.message}${JSON.stringify(error)}${error.stack}`.includes(secret));
}

/** What a client said on the wire, up to a query: SSLRequest, then TLS, and no name in plaintext. */
export function assertSslRequestThenTls(sent: Buffer, names: readonly string[]): void {
  assert.equal(sent.subarray(0, 4).toString('hex'), '20000001');
  assert.equal((sent[5] ?? 0) & 0x08, 0x08, 'CLIENT_SSL');
  assert.deepEqual([...sent.subarray(36, 38)], [0x16, 0x03], 'TLS from the 37th byte on');
  for (const name of names) assert.ok(!sent.includes(name));
}

/** Connects to a server once for each byte of its greeting, which is inverted: an error each time, and no process goes down. */
export async function meetHostileGreetings(
  connect: (place: { readonly host: string; readonly port: number }) => Promise<unknown>,
  user: string,
): Promise<void> {
  const greetings = hostileMysqlGreetings();
  const server = await startScriptedServer((socket) => void socket.end(greetings.next().value));
  const { host, port } = server;
  try {
    for (let at = 4; at < mysqlGreeting().length; at++) {
      const error = await failureOf(connect({ host, port }));
      assert.equal(typeof error.message, 'string');
    }
    assert.equal(greetings.next().done, true);
    assert.ok(!server.received().includes(user));
  } finally {
    await server.close();
  }
}
