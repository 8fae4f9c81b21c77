import { randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { CANARY } from './conformance.ts';
import { type Configuration, type Daemon, type Place, startDaemon } from './daemon.ts';
import { requirePackage } from './debian.ts';
import type { Minted } from './mint.ts';
import { type CountingServer, type CountingServerOptions, credentials, observeServer } from './tls-server.ts';

/** How to start an OpenLDAP with `ldap` (with StartTLS) and `ldaps`. It reads no file of the machine's own configuration. */
export function configureSlapd({ folder, ports }: Place<string>, more: readonly string[] = []): Configuration {
  return {
    command: [
      ...([requirePackage('slapd', 'slapd'), '-d', '0', '-f', join(folder, 'slapd.conf')] as const),
      ...['-h', `ldap://127.0.0.1:${ports.ldap}/ ldaps://127.0.0.1:${ports.ldaps}/`],
    ],
    files: {
      'slapd.conf': [
        `pidfile ${folder}/pid`,
        `argsfile ${folder}/args`,
        `TLSCertificateFile ${folder}/server.crt`,
        `TLSCertificateKeyFile ${folder}/server.key`,
        ...more,
        '',
      ].join('\n'),
    },
  };
}

/** A real OpenLDAP with one entry below its suffix, whose description is {@link CANARY}. */
export interface Slapd extends Daemon<'ldap' | 'ldaps'> {
  /** Binds as the entry. Without a bind nobody reads anything. */
  readonly user: string;
  readonly password: string;
  /** The suffix: where a search begins. */
  readonly base: string;
  /** Its plain port, as the `upstream` of a relay. */
  readonly port: number;
}

/**
 * Starts an OpenLDAP with its files in a temporary folder, which `stop()` removes.
 *
 * @param more entries in LDIF, below `o=users`: people with an address (`inetOrgPerson`) and their groups
 */
export async function startSlapd(certificate: Minted, more: readonly string[] = []): Promise<Slapd> {
  const slapadd = requirePackage('slapd', 'slapadd');
  const base = 'o=users';
  const user = `cn=login,${base}`;
  const password = randomBytes(12).toString('hex');
  const entries = [
    ...[`dn: ${base}`, 'objectClass: organization', 'o: users', ''],
    ...[`dn: ${user}`, 'objectClass: person', 'cn: login', 'sn: login', `userPassword: ${password}`],
    ...[`description: ${CANARY}`, ''],
    ...more,
  ];
  const daemon = await startDaemon<'ldap' | 'ldaps'>({
    ...{ name: 'OpenLDAP', certificate, services: ['ldap', 'ldaps'] },
    configure: (place) => {
      const { folder } = place;
      const { files, ...rest } = configureSlapd(place, [
        ...['modulepath /usr/lib/ldap', 'moduleload back_mdb'],
        ...['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`),
        ...['database mdb', `suffix "${base}"`, `directory ${folder}/data`, 'dbnosync'],
        ...['access to attrs=userPassword by anonymous auth by * none', 'access to * by users read by * none'],
      ]);
      const config = join(folder, 'slapd.conf');
      return {
        ...rest,
        prepare: [slapadd, '-q', '-f', config, '-l', join(folder, 'entries.ldif')],
        files: { ...files, 'data/': '', 'entries.ldif': entries.join('\n') },
      };
    },
  });
  return { ...daemon, user, password, base, port: daemon.ports.ldap };
}

export interface LdapRelayOptions extends Omit<CountingServerOptions, 'onSocket'> {
  /** The plain port of the genuine server behind it: an impostor that passes everything on looks like the real one. */
  readonly upstream: { readonly host: string; readonly port: number };
  /** What it says to StartTLS. Default: it consents. */
  readonly answer?: (messageId: number) => Buffer;
}

/**
 * A man in the middle. It accepts TLS at once or StartTLS, presents a certificate of the test's choice, and counts what it can read. It
 * passes everything on to a real OpenLDAP. Plaintext of a client is passed on and counted too, except the request for TLS.
 */
export async function startLdapRelay(options: LdapRelayOptions): Promise<CountingServer> {
  const { certificate, upstream, answer = answerStartTls, host = '127.0.0.1', port, ...tls } = options;
  let plain: Buffer[] = [];
  const passOn = (socket: Socket): void => {
    const genuine = connect(upstream.port, upstream.host);
    genuine.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('error', () => genuine.destroy()).on('close', () => genuine.destroy());
    socket.pipe(genuine).pipe(socket);
  };
  const tlsServer = createTlsServer({ ...credentials(certificate), ...tls }, (socket: TLSSocket) => passOn(socket));
  const front = createServer((socket: Socket) => {
    socket.once('readable', () => {
      const said = socket.read() as Buffer | null;
      if (said === null) return socket.destroy();
      const isRequest = said.includes(START_TLS);
      if (isRequest) socket.write(answer(said[MESSAGE_ID_AT] as number));
      else socket.unshift(said);
      if (isRequest || said[0] === TLS_RECORD) {
        tlsServer.emit('connection', socket);
        return;
      }
      const counted = plain;
      socket.on('data', (chunk: Buffer) => counted.push(chunk));
      passOn(socket);
    });
  });
  const counting = await observeServer(tlsServer, front, host, port);
  const anew = (): void => {
    plain = [];
  };
  return {
    ...counting,
    received: () => counting.received() + Buffer.concat(plain).length,
    receivedText: () => counting.receivedText() + Buffer.concat(plain).toString('latin1'),
    forget: () => {
      anew();
      counting.forget();
    },
    present: (presented) => {
      anew();
      counting.present(presented);
    },
  };
}

/** How TLS begins on the wire (RFC 8446 §5.1). */
const TLS_RECORD = 0x16;
const START_TLS = '1.3.6.1.4.1.1466.20037';
/** Of a short message with a short number (RFC 4511 §4.1.1): what the clients of the tests send. */
const MESSAGE_ID_AT = 4;

/** An ExtendedResponse (RFC 4511 §4.12). 0: success. */
export function answerStartTls(messageId: number, resultCode = 0): Buffer {
  return Buffer.from([0x30, 12, 2, 1, messageId, 0x78, 7, 10, 1, resultCode, 4, 0, 4, 0]);
}
