import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { it } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { mint } from '@certpin/testkit';

// The impostor `expiring` moves the clock of the script. What it stands for, in real time: a server that keeps the end of its handshake
// back until its certificate has expired, which OpenSSL has taken by then.
for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  it(`a certificate that OpenSSL takes is expired when the script looks at it: ${version}`, async () => {
    const ca = await mint({ subject: 'CN=CA', ca: true });
    const { certPem, keyPem, x509 } = await mint({ issuer: ca, validToDays: 2.5 / 86_400 });
    const server = createTlsServer({ cert: certPem, key: keyPem, maxVersion: version }, (socket) => {
      socket.on('error', () => undefined);
    });
    const front = createServer((socket) => keepBack(socket, server, new Date(x509.validTo).getTime() + 100));
    for (const one of [server, front]) {
      one.listen(0, '127.0.0.1');
      await new Promise((resolve) => one.once('listening', resolve));
    }
    const { port } = front.address() as AddressInfo;
    const socket = connectTls({ host: '127.0.0.1', port, ca: ca.certPem, servername: 'localhost' });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    const { valid_to } = socket.getPeerCertificate();
    assert.deepEqual([socket.authorized, new Date(valid_to) < new Date(), socket.getProtocol()], [true, true, version]);
    socket.destroy();
    for (const one of [server, front]) one.close();
  });
}

/** Passes everything on but the last record of what the server says, which waits. RFC 8446 §5.1: type, version, length. */
function keepBack(client: Socket, server: ReturnType<typeof createTlsServer>, until: number): void {
  const genuine = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let waiting = Buffer.alloc(0);
  let isOver = false;
  client.on('error', () => genuine.destroy()).pipe(genuine);
  genuine.on('error', () => client.destroy()).on('close', () => client.destroy());
  const pass = (length: number): void => {
    client.write(waiting.subarray(0, length));
    waiting = waiting.subarray(length);
  };
  genuine.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    let last = 0;
    for (let next = 0; next + 5 <= waiting.length; next += 5 + waiting.readUInt16BE(next + 3)) last = next;
    pass(isOver ? waiting.length : last);
  });
  setTimeout(() => {
    isOver = true;
    pass(waiting.length);
  }, until - Date.now());
}
