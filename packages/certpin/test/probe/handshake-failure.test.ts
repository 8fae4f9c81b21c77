import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainHandshake } from '../../src/probe/handshake-failure.ts';

test('every reason of OpenSSL is told in words, with its code, which stays', () => {
  const reasons = {
    ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not begin with TLS',
    ERR_SSL_BAD_EXTENSION: 'the TLS handshake failed: bad extension',
  };
  for (const [code, words] of Object.entries(reasons)) {
    const cause = Object.assign(new Error('0A00006E:error:SSL routines:...'), { code });
    const { message, ...explained } = explainHandshake(cause) as NodeJS.ErrnoException;
    assert.deepEqual({ message, code: explained.code }, { message: `${words} (${code})`, code });
  }
});

test('where Node gives no code of its own, the reason stands in the message of OpenSSL', () => {
  const message = '140:error:0A0000C1:SSL routines:tls_parse_ctos:no shared cipher:../ssl/statem.c:1:\n';
  const explained = explainHandshake(Object.assign(new Error(message), { code: 'EPROTO' })) as NodeJS.ErrnoException;
  assert.equal(explained.message, 'the TLS handshake failed: no shared cipher (EPROTO)');
  assert.equal(explained.code, 'EPROTO');
});

test('what is no failure of a handshake stays as it is', () => {
  const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  assert.equal(explainHandshake(error), error);
});
