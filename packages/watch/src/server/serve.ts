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
  /** What went wrong while a page was made. Whoever asked is told nothing of it. */
  readonly onError: (error: unknown) => void;
}

export interface WatchServer {
  /** `http://127.0.0.1:9000/` */
  readonly url: string;
  /** Takes a renewed certificate without a restart. @throws Node's error where it cannot be used; the old one stays */
  readonly renewTls: (tls: TlsFiles) => void;
  /** Answers that are being sent have a second. */
  readonly close: () => Promise<void>;
}

/** Nobody keeps a connection by sending slowly, or by not reading. */
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
 * @throws Error where the options would show the pages to anybody; and Node's, where the address cannot be listened at
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
      if (request.destroyed && !request.complete) return; // whoever asked has gone
      onError(error);
      answer = { status: 500, type: TEXT, body: 'The page could not be made. The log of the watcher says why.\n' };
    }
    // What was not read of a request must not be taken for the next one.
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
      // Whom the CA before has let in would stay in as long as the connection lasts.
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
