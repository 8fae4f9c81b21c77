// Whatever a server says instead of a certificate, a person reads in words, the same in text and in JSON.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mint, startScriptedServer, startTlsServer } from '@certpin/testkit';
import { probe } from '../../src/probe/index.ts';

/** Every alert of which OpenSSL has a name (RFC 8446 §6, RFC 5246 §7.2, RFC 6066 §9, RFC 4279, RFC 7507), and what it means here. */
const alerts: Readonly<Record<number, RegExp>> = {
  10: /does not understand the handshake/, // unexpected_message
  20: /could not verify or decrypt/, // bad_record_mac
  21: /could not verify or decrypt/, // decryption_failed
  22: /does not understand the handshake/, // record_overflow
  30: /does not understand the handshake/, // decompression_failure
  40: /found nothing that both sides support/, // handshake_failure
  41: /demands a client certificate/, // no_certificate
  42: /demands a client certificate, or another one/, // bad_certificate
  43: /demands a client certificate, or another one/, // unsupported_certificate
  44: /the client certificate has been revoked/, // certificate_revoked
  45: /the client certificate has expired/, // certificate_expired
  46: /demands a client certificate, or another one/, // certificate_unknown
  47: /does not understand the handshake/, // illegal_parameter
  48: /does not trust the CA of the client certificate/, // unknown_ca
  49: /accepts the client certificate, but gives it no access/, // access_denied
  50: /does not understand the handshake/, // decode_error
  51: /could not verify or decrypt/, // decrypt_error
  60: /for export only/, // export_restriction
  70: /share no TLS version/, // protocol_version
  71: /demands stronger ciphers/, // insufficient_security
  80: /the server failed/, // internal_error
  86: /share no TLS version/, // inappropriate_fallback
  90: /gave the handshake up/, // user_canceled
  100: /refuses it/, // no_renegotiation
  109: /something is missing in the handshake/, // missing_extension
  110: /does not understand the handshake/, // unsupported_extension
  111: /could not fetch the client certificate/, // certificate_unobtainable
  112: /does not know the name that was sent/, // unrecognized_name
  113: /\(OCSP\)/, // bad_certificate_status_response
  114: /could not fetch the client certificate/, // bad_certificate_hash_value
  115: /shared keys \(PSK\)/, // unknown_psk_identity
  116: /demands a client certificate/, // certificate_required
  120: /\(ALPN\)/, // no_application_protocol
};

const FATAL = 2;

describe('an alert instead of a certificate', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`every one of the 256 is told in words, without OpenSSL's spelling: ${version}`, async (t) => {
      let alert = 0;
      // RFC 8446 §6: a record of type 21 with level and description.
      const server = await startScriptedServer((socket) =>
        socket.once('data', () => socket.end(Buffer.of(21, 3, 3, 0, 2, FATAL, alert))),
      );
      t.after(server.close);
      for (alert = 0; alert < 256; alert++) {
        const report = await probe(`tls://localhost:${server.port}`, {
          tls: { minVersion: version, maxVersion: version },
        });
        assert.ok(!report.ok);
        const { code, message } = report.error;
        // One that OpenSSL has no name for is shown by no Node: it is a connection that ended.
        const words = alerts[alert] ?? /closed the connection|the TLS handshake failed/;
        assert.match(message, words, `${alert}: ${message}`);
        assert.ok(message.endsWith(` (${code})`), message);
        assert.doesNotMatch(message, /SSL routines|sslv3 alert|tlsv1|tlsv13|ssl\/tls alert|\.c:\d/, message);
      }
    });
  }
});

describe('a client certificate that is demanded over TLS 1.2', () => {
  test('is told as such, once the server has shown its own certificate', async (t) => {
    const certificate = await mint();
    const server = await startTlsServer({
      certificate,
      maxVersion: 'TLSv1.2',
      requestCert: true,
      rejectUnauthorized: true,
    });
    t.after(server.close);
    // The alert is `handshake failure`, which means many things.
    const report = await probe(`tls://localhost:${server.port}`);
    assert.ok(!report.ok);
    assert.match(report.error.message, /^the server demands a client certificate/);
  });

  test('is not guessed where the server had shown nothing', async (t) => {
    const server = await startScriptedServer((socket) =>
      socket.once('data', () => socket.end(Buffer.of(21, 3, 3, 0, 2, FATAL, 40))),
    );
    t.after(server.close);
    const report = await probe(`tls://localhost:${server.port}`);
    assert.ok(!report.ok);
    assert.match(
      report.error.message,
      /^the server found nothing that both sides support; it may demand a server name, or be too old: /,
    );
  });
});
