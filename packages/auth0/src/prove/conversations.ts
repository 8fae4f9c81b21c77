import type { Duplex } from 'node:stream';
import { converseLdap } from './converse-ldap.ts';
import { converseMongodb, isMongodb } from './converse-mongodb.ts';
import { converseMssql } from './converse-mssql.ts';
import type { Evidence } from './evidence.ts';
import { isLdap } from './ldap.ts';
import { mysqlError, mysqlOk, mysqlPacket } from './mysql-packets.ts';
import { readMessages } from './read-messages.ts';

/** An impostor that accepts every login and answers every question with nothing. So the script says everything that it would say. */
export type Converse = (stream: Duplex, evidence: Evidence, sealed: boolean) => void;

/** The protocol above TLS, or without TLS. */
export type Speech = 'postgres' | 'mysql' | 'mssql' | 'mongodb' | 'ldap' | 'http';

export const conversations: Readonly<Record<Speech, Converse>> = {
  postgres,
  mysql,
  mssql: converseMssql,
  mongodb: converseMongodb,
  ldap: converseLdap,
  http: byFirst,
};

const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** ErrorResponse: severity, code, message. */
const noSuchTable = Buffer.from('E\0\0\0\x2aSERROR\0C42P01\0Mno such relation here\0\0', 'latin1');

/**
 * PostgreSQL's frontend messages. The start-up message has only a length; every other message has a type before it
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html).
 */
function postgres(stream: Duplex, evidence: Evidence): void {
  let started = false;
  readMessages(stream, evidence, (buffer) => {
    const head = started ? 1 : 0;
    if (buffer.length < head + 4) return 0;
    const length = head + buffer.readUInt32BE(head);
    if (length < head + 4 || buffer.length < length) return 0;
    const type = started ? String.fromCharCode(buffer[0] ?? 0) : 'startup';
    if (type === 'startup') {
      started = true;
      evidence.see('user name');
      stream.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])); // AuthenticationCleartextPassword
    } else if (type === 'p') {
      evidence.see('password');
      stream.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0])); // AuthenticationOk
      stream.write(readyForQuery);
    } else if (type === 'Q' || type === 'P' || type === 'B') evidence.see('query');
    // A simple query, or Sync after an extended one. Every driver passes an error on.
    if (type === 'Q' || type === 'S') stream.write(Buffer.concat([noSuchTable, readyForQuery]));
    if (type === 'X') stream.end();
    return length;
  });
}

/** ER_NO_SUCH_TABLE: with it, every driver fails a query. */
const noSuchMysqlTable = mysqlError(1, 1146, '#42S02no such table here');

/** The commands of MySQL that contain the script's questions: COM_QUERY, COM_STMT_PREPARE, COM_STMT_EXECUTE. */
const questions: readonly number[] = [0x03, 0x16, 0x17];

/**
 * MySQL's packets after the greeting: the login, the password if caching_sha2_password asks for it over TLS, then commands
 * (https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html).
 */
function mysql(stream: Duplex, evidence: Evidence, sealed: boolean): void {
  let state: 'login' | 'password' | 'commands' = 'login';
  readMessages(stream, evidence, (buffer) => {
    if (buffer.length < 4 || buffer.length < 4 + buffer.readUIntLE(0, 3)) return 0;
    const length = 4 + buffer.readUIntLE(0, 3);
    const sequence = buffer[3] ?? 0;
    if (state === 'login') {
      evidence.see('user name');
      evidence.see('answer to the password challenge');
      const asksForPassword = sealed && buffer.subarray(0, length).includes('caching_sha2_password');
      state = asksForPassword ? 'password' : 'commands';
      stream.write(asksForPassword ? mysqlPacket(sequence + 1, Buffer.from([1, 4])) : mysqlOk(sequence + 1));
    } else if (state === 'password') {
      evidence.see('password');
      state = 'commands';
      stream.write(mysqlOk(sequence + 1));
    } else if (questions.includes(buffer[4] ?? 0)) {
      evidence.see('query');
      stream.write(noSuchMysqlTable);
    }
    return length;
  });
}

/** A connection that begins with TLS is HTTP, or MongoDB or LDAP on their own ports. The first bytes show which. */
function byFirst(stream: Duplex, evidence: Evidence): void {
  stream.once('data', (first: Buffer) => {
    if (isMongodb(first)) converseMongodb(stream, evidence);
    else if (isLdap(first)) converseLdap(stream, evidence);
    else http(stream, evidence);
    // Listeners that were attached in this tick would get only the next bytes.
    stream.emit('data', first);
  });
}

/** HTTP/1: the head is a request, and what follows is a body. Anything else is data. */
function http(stream: Duplex, evidence: Evidence): void {
  let seen = Buffer.alloc(0);
  let answered = false;
  stream.on('data', (chunk: Buffer) => {
    evidence.count(chunk);
    seen = Buffer.concat([seen, chunk]).subarray(0, 65_536);
    const text = seen.toString('latin1');
    if (!/^[A-Z]+ \S+ HTTP\/1/.test(text)) return evidence.see('data');
    evidence.see('request');
    if (/^(?:authorization|x-api-key|cookie):/im.test(text)) evidence.see('credentials');
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) return;
    if (seen.length > end + 4) evidence.see('body');
    const announced = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
    if (answered || seen.length < end + 4 + announced) return;
    answered = true;
    stream.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}');
  });
}
