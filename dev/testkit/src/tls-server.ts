import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, type Server as NetServer, type Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { Minted } from './mint.ts';

/** A TLS server in this process that counts what it received after the handshake. */
export interface CountingServer {
  readonly host: string;
  readonly port: number;
  /** Application bytes received, decrypted, over the connections since the last `present` or `forget`. At a wrong server: 0. */
  readonly received: () => number;
  /** The same bytes, as text. */
  readonly receivedText: () => string;
  /** Starts the count again: what arrives on older connections no longer counts. */
  readonly forget: () => void;
  /** Completed handshakes. */
  readonly handshakes: () => number;
  /** The server names (SNI) of the handshakes; `false` where none was sent. */
  readonly servernames: readonly (string | false)[];
  /** Whether each handshake resumed a session. */
  readonly resumptions: readonly boolean[];
  /** Presents another certificate from the next handshake on. Session tickets stay valid, as behind a load balancer. */
  readonly present: (certificate: Minted) => void;
  readonly server: Server;
  readonly close: () => Promise<void>;
}

export interface CountingServerOptions extends TlsOptions {
  readonly certificate: Minted;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: echoes what it receives. */
  readonly onSocket?: (socket: TLSSocket) => void;
}

/** Starts a TLS server on a free port; by default it echoes. */
export async function startTlsServer(options: CountingServerOptions): Promise<CountingServer> {
  const { certificate, host, port, onSocket = (socket) => socket.pipe(socket), ...tls } = options;
  return observeServer(createServer({ ...credentials(certificate), ...tls }, onSocket), undefined, host, port);
}

/** Starts an HTTPS server on a free port; it answers every request with the method, the path and the body it got. */
export async function startHttpsServer(options: Omit<CountingServerOptions, 'onSocket'>): Promise<CountingServer> {
  const { certificate, host, ...tls } = options;
  const server = createHttpsServer({ ...credentials(certificate), ...tls }, (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => response.end(`${request.method} ${request.url} ${body}`));
  });
  return observeServer(server, undefined, host);
}

/** Starts an HTTPS server on a free port that answers every request with a redirect to `location`. */
export async function startHttpsRedirect(options: {
  readonly certificate: Minted;
  readonly location: string;
}): Promise<CountingServer> {
  const headers = { location: options.location };
  return observeServer(
    createHttpsServer(credentials(options.certificate), (_, response) => response.writeHead(307, headers).end()),
  );
}

/**
 * Starts an HTTP/2 server on a free port. It answers every request with the method, the path and the body that it got.
 *
 * TLS ends in front of it: Node's HTTP/2 reads below the events of a socket, where nothing can be counted.
 */
export async function startHttp2Server(options: Omit<CountingServerOptions, 'onSocket'>): Promise<CountingServer> {
  const { certificate, host, ...tls } = options;
  const http2 = createHttp2Server().listen(0, '127.0.0.1');
  await once(http2, 'listening');
  http2.on('stream', (stream, headers) => {
    let body = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    stream.on('error', () => undefined);
    stream.on('end', () => stream.end(`${headers[':method']} ${headers[':path']} ${body}`));
  });
  const sessions = new Set<ServerHttp2Session>();
  http2.on('session', (session) => sessions.add(session)).on('sessionError', () => undefined);
  const onSocket = (socket: TLSSocket): void => {
    const behind = connect((http2.address() as AddressInfo).port, '127.0.0.1');
    behind.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => behind.destroy());
    socket.pipe(behind).pipe(socket);
  };
  const server = createServer({ ...credentials(certificate), ALPNProtocols: ['h2'], ...tls }, onSocket);
  const front = await observeServer(server, undefined, host);
  return {
    ...front,
    close: async () => {
      await front.close();
      for (const session of sessions) session.destroy();
      http2.close();
      await once(http2, 'close');
    },
  };
}

/**
 * Counts what `server` receives, and listens.
 *
 * @param front the TCP server that passes its connections to `server`, if a plaintext conversation comes first
 */
export async function observeServer(
  server: Server,
  front: NetServer = server,
  host = '127.0.0.1',
  port = 0,
): Promise<CountingServer> {
  let chunks: Buffer[] = [];
  const servernames: (string | false)[] = [];
  const resumptions: boolean[] = [];
  const sockets = new Set<Socket>();
  front.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  server.on('secureConnection', (socket: TLSSocket & { servername: string | false }) => {
    servernames.push(socket.servername);
    resumptions.push(socket.isSessionReused());
    const counted = chunks;
    socket.on('data', (chunk: Buffer) => counted.push(chunk));
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined); // A client that refuses the certificate hangs up in the handshake.
  // The ticket keys stay when the certificate changes, as behind a load balancer: a ticket of one server resumes at the other.
  const ticketKeys = randomBytes(48);
  server.setTicketKeys(ticketKeys);
  // setSecureContext() forgets the options of the server: without this, TLS 1.2 would become 1.3.
  const { minVersion, maxVersion, ciphers } = server as Pick<
    SecureContextOptions,
    'minVersion' | 'maxVersion' | 'ciphers'
  >;
  front.listen(port, host);
  await once(front, 'listening');
  return {
    host,
    port: (front.address() as AddressInfo).port,
    received: () => chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    receivedText: () => Buffer.concat(chunks).toString('latin1'),
    handshakes: () => servernames.length,
    servernames,
    resumptions,
    forget: () => {
      chunks = [];
    },
    present: (certificate) => {
      chunks = [];
      server.setSecureContext({ ...credentials(certificate), minVersion, maxVersion, ciphers } as SecureContextOptions);
      server.setTicketKeys(ticketKeys);
    },
    server,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      front.close();
      await once(front, 'close');
    },
  };
}

/** How a server presents a minted certificate. */
export function credentials(certificate: Minted): { key: string; cert: string } {
  return { key: certificate.keyPem, cert: certificate.chainPem };
}
