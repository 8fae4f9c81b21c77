import type { Duplex } from 'node:stream';
import type { Evidence } from './evidence.ts';
import { readMessages } from './read-messages.ts';
import { TDS_HEADER, TDS_PRELOGIN, tdsAnswer } from './tds.ts';

// Types of a client's messages (MS-TDS §2.2.3.1.1).
const BATCH = 0x01;
const PROCEDURE = 0x03;
const LOGIN = 0x10;

const text = (value: string): Buffer => Buffer.from(value, 'utf16le');
const token = (type: number, content: Uint8Array): Buffer => {
  const head = Buffer.of(type, 0, 0);
  head.writeUInt16LE(content.length, 1);
  return Buffer.concat([head, content]);
};
/** @param status 0: final; 2: an error stands before it */
const done = (status: number): Buffer => Buffer.concat([Buffer.of(0xfd, status), Buffer.alloc(11)]);

/** LOGINACK: TDS 7.4, a name without letters, a version. */
const loggedIn = Buffer.concat([token(0xad, Buffer.from([1, 0x74, 0, 0, 4, 0, 16, 0, 0x10, 0])), done(0)]);

/** ERROR 208: with it, every driver fails a query. */
const noSuchTable = ((): Buffer => {
  const message = 'no such table here';
  const number = Buffer.from([208, 0, 0, 0, 1, 16, message.length, 0]);
  return Buffer.concat([
    token(0xaa, Buffer.concat([number, text(message), Buffer.alloc(2), Buffer.alloc(4)])),
    done(2),
  ]);
})();

/** The driver's own first batch sets how it wants to be answered. */
const SETTINGS = /^set /i;

/**
 * SQL Server's messages after PRELOGIN (MS-TDS §2.2.1). Plaintext packets of the type PRELOGIN are TLS that the server did not agree to.
 */
export function converseMssql(stream: Duplex, evidence: Evidence): void {
  readMessages(stream, evidence, (buffer) => {
    if (buffer.length < TDS_HEADER) return 0;
    const length = Math.max(TDS_HEADER, buffer.readUInt16BE(2));
    if (buffer.length < length) return 0;
    const [type = 0, status = 0] = buffer;
    const content = buffer.subarray(TDS_HEADER, length);
    if (type === LOGIN) {
      evidence.see('user name');
      evidence.see('password');
      if ((status & 1) !== 0) stream.write(tdsAnswer(loggedIn));
    } else if (type === BATCH || type === PROCEDURE) {
      // After ALL_HEADERS, which begins with its length.
      const asked = content.length < 4 ? '' : content.subarray(content.readUInt32LE(0)).toString('utf16le');
      const isSetting = type === BATCH && SETTINGS.test(asked);
      if (!isSetting) evidence.see('query');
      if ((status & 1) !== 0) stream.write(tdsAnswer(isSetting ? done(0) : noSuchTable));
    } else if (type !== TDS_PRELOGIN) evidence.see('data');
    return length;
  });
}
