import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certificateHex, failureOf, mint } from '@certpin/testkit';
import { startMongodb } from '@certpin/testkit/mongodb';
import { isSupported } from 'certpin/driver-tls';
import { isCertpinError } from '../../src/errors.ts';
import { findUser, openDatabase } from './mongoose-example.ts';

const skip = isSupported() ? false : `Node ${process.version} does not announce TLS sockets`;

describe('mongoose 8: the example', () => {
  test('finds the user at the right server, and gives an impostor nothing', { skip }, async (t) => {
    const [right, impostor] = [await mint(), await mint()];
    const server = await startMongodb({ certificate: right, login: { user: 'app', password: 'secret' } });
    t.after(server.close);
    const url = `mongodb://app:secret@localhost:${server.port}/shop?authSource=admin`;
    const database = await openDatabase(url, certificateHex(right));
    t.after(() => database.close());
    await database.collection('users').insertOne({ email: 'user@example.com' });
    assert.equal((await findUser(database, 'user@example.com'))?.email, 'user@example.com');
    await database.close();

    server.present(impostor);
    const error = await failureOf(openDatabase(url, certificateHex(right)));
    assert.ok(isCertpinError(error) && error.code === 'ERR_PIN_MISMATCH', String(error));
    assert.equal(server.received(), 0);
  });
});
