import { once } from 'node:events';
import { request as ask, type IncomingHttpHeaders } from 'node:http';
import { request as askTls, type RequestOptions } from 'node:https';
import { connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** As they came over the wire. */
  readonly bytes: number;
}

/** One request on a connection of its own: nothing is normalised, no cookie is kept, no redirect is followed. */
export async function get(
  url: string,
  path: string,
  options: RequestOptions & { readonly body?: string; readonly onSocket?: (socket: Socket) => void } = {},
): Promise<Answered> {
  const { hostname, port, protocol } = new URL(url);
  const send = protocol === 'https:' ? askTls : ask;
  const host = hostname.replace(/^\[|\]$/g, '');
  const request = send({ host, port, path, agent: false, ...options });
  if (options.onSocket !== undefined) request.once('socket', options.onSocket);
  request.end(options.body);
  const [response] = await once(request, 'response');
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  const bytes = Buffer.concat(parts);
  const body = (response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');
  return { status: response.statusCode, headers: response.headers, body, bytes: bytes.length };
}

export const page: { readonly accept: string } = { accept: 'text/html,application/xhtml+xml' };

/** Sends bytes as they are, and gives what came back until the other side closed. */
export async function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(text);
  const parts: Buffer[] = [];
  try {
    for await (const part of socket) parts.push(part as Buffer);
  } catch {
    // A reset is an end too.
  }
  return Buffer.concat(parts).toString('latin1');
}

/** What a browser would send back: names and values alone. */
export function cookiesOf({ headers }: Answered): string {
  return (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';', 1)[0]).join('; ');
}
