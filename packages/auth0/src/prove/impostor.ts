import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  createSecureContext,
  createServer as createTlsServer,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import { conversations } from './conversations.ts';
import type { Evidence } from './evidence.ts';
import { answerStartTls, asksForStartTls, LDAP_RESULT } from './ldap.ts';
import type { Credentials } from './mint.ts';
import { mysqlError, mysqlGreeting, SSL_REQUEST_BYTES } from './mysql-packets.ts';
import { type Opening, POSTGRES_GSS_REQUEST, POSTGRES_SSL_REQUEST } from './opening.ts';
import { readFirstLdap } from './read-first-ldap.ts';
import { presentStolen } from './stolen.ts';
import { encloseTds, TDS_ENCRYPTION, TDS_HEADER, tdsPrelogin } from './tds.ts';

export interface ImpostorOptions {
  /** How the script opens its connections. */
  readonly opening: Opening;
  /** undefined: it refuses TLS, and speaks in plaintext. */
  readonly credentials: Credentials | undefined;
  /** What it presents to a client that sends a name (SNI). Default: the same. */
  readonly forName?: ((name: string) => Promise<Credentials>) | undefined;
  /** Put on the wire in place of its own certificate. */
  readonly stolenChain?: readonly X509Certificate[] | undefined;
  readonly evidence: Evidence;
}

/** Makes a receiver for a server's connections that is not this server. It counts what it receives. */
export function createImpostor({
  opening,
  credentials,
  forName,
  stolenChain,
  evidence,
}: ImpostorOptions): (socket: Socket) => void {
  const converse = conversations[opening.speech];
  const speak = (socket: Socket): void => converse(socket, evidence, false);
  const inPackets = opening.speech === 'mssql';
  const tlsServer =
    credentials === undefined ? undefined : startTls({ credentials, forName, stolenChain, evidence }, inPackets);
  tlsServer?.on('tlsClientError', ({ code = '' }: NodeJS.ErrnoException) => {
    if (stolenChain === undefined && DISAGREEMENT.test(code)) evidence.disagreement = code;
  });
  tlsServer?.on('secureConnection', (stream: TLSSocket) => {
    stream.on('error', () => undefined);
    evidence.handshakes++;
    converse(stream, evidence, true);
  });
  const seal = (socket: Socket): void => {
    const wire: Duplex = inPackets ? encloseTds(socket) : socket;
    tlsServer?.emit('connection', stolenChain === undefined ? wire : presentStolen(wire, stolenChain, evidence));
  };
  const open = openings[opening.speech];
  return (socket) => {
    evidence.arrive(socket);
    open(socket, speak, tlsServer === undefined ? undefined : seal);
  };
}

type Receive = (socket: Socket) => void;

const openings: Readonly<Record<Opening['speech'], (socket: Socket, speak: Receive, seal?: Receive) => void>> = {
  ...{ postgres: openPostgres, mysql: openMysql, mssql: openMssql, mongodb: openHttp, ldap: openLdap, http: openHttp },
};

/** The errors of OpenSSL before a certificate is sent. */
const DISAGREEMENT = /_(?:NO_SHARED|NO_SUITABLE|UNSUPPORTED_PROTOCOL|UNKNOWN_PROTOCOL|VERSION_TOO_LOW|WRONG_VERSION)/;

/**
 * The stolen certificate is put on the wire of TLS 1.2, whose key exchange is signed: ECDHE, and not RSA key exchange.
 *
 * @param inPackets a handshake of TLS 1.3 ends with a message of the client, which has no place in packets
 */
function startTls(
  { credentials, forName, stolenChain, evidence }: Omit<ImpostorOptions, 'opening'>,
  inPackets: boolean,
): Server {
  const limits =
    stolenChain === undefined
      ? inPackets
        ? ({ maxVersion: 'TLSv1.2' } as const)
        : {}
      : ({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE+AESGCM:ECDHE+CHACHA20' } as const);
  const SNICallback: TlsOptions['SNICallback'] = (name, answer) => {
    evidence.hearName(name);
    if (forName === undefined) return answer(null);
    forName(name).then((made) => answer(null, createSecureContext(made)), answer);
  };
  // Any protocol that the script offers is accepted.
  const ALPNCallback = ({ protocols }: { protocols: readonly string[] }): string | undefined =>
    protocols.find((protocol) => protocol === 'http/1.1') ?? protocols[0];
  return createTlsServer({ ...credentials, ...limits, SNICallback, ALPNCallback } as TlsOptions);
}

/** A script that logs in without a request for TLS gets no TLS from any server. */
function openPostgres(socket: Socket, speak: Receive, seal: Receive | undefined): void {
  readFirst(socket, 8, (request) => {
    const code = request.readUInt32BE(4);
    if (code === POSTGRES_GSS_REQUEST) {
      socket.write('N');
      openPostgres(socket, speak, seal);
    } else if (code !== POSTGRES_SSL_REQUEST) {
      socket.unshift(request);
      speak(socket);
    } else {
      socket.write(seal === undefined ? 'N' : 'S');
      if (seal === undefined) skipRecords(socket, noTlsHere.postgres, speak);
      else seal(socket);
    }
  });
}

function openMysql(socket: Socket, speak: Receive, seal: Receive | undefined): void {
  socket.write(mysqlGreeting({ tls: seal !== undefined }));
  readFirst(socket, SSL_REQUEST_BYTES, (request) => {
    const isSslRequest = request.readUIntLE(0, 3) === SSL_REQUEST_BYTES - 4;
    if (!isSslRequest) {
      socket.unshift(request);
      speak(socket);
    } else if (seal === undefined) skipRecords(socket, noTlsHere.mysql, speak);
    else seal(socket);
  });
}

function openMssql(socket: Socket, speak: Receive, seal: Receive | undefined): void {
  readFirst(socket, TDS_HEADER, (header) => {
    readFirst(socket, Math.max(header.readUInt16BE(2), TDS_HEADER) - TDS_HEADER, () => {
      socket.write(tdsPrelogin(seal === undefined ? TDS_ENCRYPTION.notSupported : TDS_ENCRYPTION.on));
      if (seal === undefined) speak(socket);
      else seal(socket);
    });
  });
}

/** RFC 8446 §5.1: a record of TLS begins with its type, 20 to 23, and the version 3. */
const isRecord = ([type = 0, version]: Buffer): boolean => type >= 20 && type <= 23 && version === 3;
const RECORD_HEADER = 5;

function openHttp(socket: Socket, speak: Receive, seal: Receive | undefined): void {
  readFirst(socket, 2, (first) => {
    socket.unshift(first);
    if (!isRecord(first)) speak(socket);
    else if (seal !== undefined) seal(socket);
    else skipRecords(socket, noTlsHere.http, speak);
  });
}

/** LDAP begins with TLS, with a request for it, or without. Without a request, a client gets no TLS from any server. */
function openLdap(socket: Socket, speak: Receive, seal: Receive | undefined): void {
  readFirst(socket, 2, (first) => {
    socket.unshift(first);
    if (isRecord(first)) openHttp(socket, speak, seal);
    else
      readFirstLdap(socket, (message) => {
        const isRequest = message !== undefined && asksForStartTls(message);
        if (isRequest)
          socket.write(answerStartTls(message, seal === undefined ? LDAP_RESULT.unavailable : LDAP_RESULT.success));
        else if (message !== undefined) socket.unshift(message.bytes);
        if (!isRequest) speak(socket);
        else if (seal === undefined) skipRecords(socket, noTlsHere.ldap, speak);
        else seal(socket);
      });
  });
}

/** A plaintext answer for a client that begins TLS although it was refused. Without an answer, the client would wait for ever. */
const noTlsHere: Readonly<Record<Exclude<Opening['speech'], 'mssql'>, string | Buffer>> = {
  postgres: 'E\0\0\0\x20SFATAL\0C08P01\0Mno TLS here\0\0',
  mysql: mysqlError(2, 1043, '#08S01no TLS here'),
  http: 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n',
  mongodb: 'no TLS here',
  ldap: 'no TLS here',
};

/** ClientHello, and the alert with which a client gives up, do not count. Plaintext after them counts. */
function skipRecords(socket: Socket, answer: string | Buffer, then: Receive): void {
  readFirst(socket, RECORD_HEADER, (header) => {
    if (!isRecord(header)) {
      socket.unshift(header);
      return then(socket);
    }
    socket.write(answer);
    readFirst(socket, header.readUInt16BE(3), () => skipRecords(socket, '', then));
  });
}

/** Calls back with exactly this many bytes. The rest stays in the socket. */
function readFirst(socket: Socket, length: number, then: (bytes: Buffer) => void): void {
  const bytes = socket.read(length) as Buffer | null;
  if (bytes !== null) then(bytes);
  else if (!socket.destroyed && !socket.readableEnded) socket.once('readable', () => readFirst(socket, length, then));
}
