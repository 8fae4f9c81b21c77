import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAccess } from './access.ts';
import { type Answer, send, TEXT } from './answer.ts';
import { createConnections } from './connections.ts';
import { answerTo, type Sources } from './handle.ts';
import { checkListenOptions, type ListenOptions, type TlsFiles } from './listen-options.ts';

export interface WatchServerOptions extends Omit<Sources, 'access' | 'now'> {
  readonly listen: ListenOptions;
  readonly now?: () => number;
  /** A failure while a page was made. The client does not learn about it. */
  readonly onError: (error: unknown) => void;
}

export interface WatchServer {
  /** `http://127.0.0.1:9000/` */
  readonly url: string;
  /** Uses a renewed certificate without a restart. @throws Node's error if it cannot be used. Then the old one stays */
  readonly renewTls: (tls: TlsFiles) => void;
  /** Answers in progress get one second. */
  readonly close: () => Promise<void>;
}

/** A client cannot keep a connection by sending slowly, or by not reading. */
const LIMITS: ServerOptions = {
  connectionsCheckingInterval: 1000,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 5000,
  maxHeaderSize: 8192,
};
const IDLE_MS = 30_000;
const MOST_CONNECTIONS = 200;
const MOST_REQUESTS = 1000;
const CLOSE_MS = 1000;

/**
 * Serves the pages, `/metrics`, `/healthz` and `/readyz`.
 *
 * @throws Error if the options would show the pages to anybody; Node's own error if it cannot listen at the address
 */
export async function serveWatch({
  listen,
  onError,
  now = Date.now,
  ...rest
}: WatchServerOptions): Promise<WatchServer> {
  checkListenOptions(listen);
  const access = createAccess(listen);
  const sources: Sources = { ...rest, access, now };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    void respond(request, response, sources).catch((error: unknown) => {
      onError(error);
      response.destroy();
    });
  };
  const respond = async (request: IncomingMessage, response: ServerResponse, from: Sources): Promise<void> => {
    let answer: Answer;
    try {
      answer = await answerTo(request, from);
    } catch (error) {
      if (request.destroyed && !request.complete) return; // The client has gone.
      onError(error);
      answer = { status: 500, type: TEXT, body: 'The page could not be made. The log of the watcher says why.\n' };
    }
    // The unread part of a request must not be taken for the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    await send(request, response, answer);
  };
  const server =
    listen.tls === undefined
      ? createServer(LIMITS, handle)
      : createTlsServer({ ...LIMITS, ...secureOptions(listen.tls), handshakeTimeout: 10_000 }, handle);
  const connections = createConnections(MOST_CONNECTIONS);
  server.on('connection', connections.add);
  server.maxRequestsPerSocket = MOST_REQUESTS;
  server.setTimeout(IDLE_MS);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  server.on('error', onError);
  const { port } = server.address() as AddressInfo;
  let clientCa = listen.tls?.clientCa;
  const scheme = listen.tls === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}/`,
    renewTls: (tls) => {
      (server as TlsServer).setSecureContext(secureOptions(tls));
      access.renew(tls);
      // Clients that the old CA has let in would stay as long as their connections last.
      if (tls.clientCa !== clientCa) connections.endAll();
      clientCa = tls.clientCa;
    },
    close: () =>
      new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function secureOptions({ certificate, key, clientCa }: TlsFiles) {
  const client = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false };
  return { cert: certificate, key, minVersion: 'TLSv1.2' as const, ...client };
}
