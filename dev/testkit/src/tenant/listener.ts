import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Minted } from '../mint.ts';
import { credentials } from '../tls-server.ts';
import type { RequestHook, TenantAnswer, TenantRequest } from './options.ts';

/** A request that the tenant received. `status`: what the client was told. 0: nothing. */
export interface LoggedRequest extends TenantRequest {
  readonly status: number;
}

export type Answer = (
  request: TenantRequest,
  received: { readonly authorization: string | undefined; readonly form: Record<string, string> },
) => Promise<TenantAnswer>;

/** Listens over HTTPS, records each request, and lets hooks intervene. */
export class Listener {
  readonly requests: LoggedRequest[] = [];
  readonly #hooks: RequestHook[] = [];
  readonly #answer: Answer;
  readonly #server: Server;

  constructor(certificate: Minted, answer: Answer) {
    this.#answer = answer;
    this.#server = createServer({ ...credentials(certificate), keepAlive: true }, (request, response) => {
      this.#receive(request, response).catch((error: Error) => {
        if (!response.headersSent)
          send(response, {
            status: 500,
            body: { statusCode: 500, error: 'Internal Server Error', message: error.message },
          });
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  /** The newest hook is asked first. */
  hook(hook: RequestHook): () => void {
    this.#hooks.unshift(hook);
    return () => {
      const index = this.#hooks.indexOf(hook);
      if (index >= 0) this.#hooks.splice(index, 1);
    };
  }

  async #receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of message.setEncoding('utf8')) text += chunk;
    const url = new URL(message.url ?? '/', 'https://fake');
    const isToken = url.pathname === '/oauth/token';
    const isForm = message.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
    const body = text === '' ? undefined : isForm ? Object.fromEntries(new URLSearchParams(text)) : parse(text);
    const { method = '' } = message;
    // A parameter that is given several times is a list.
    const names = [...new Set(url.searchParams.keys())];
    const query = Object.fromEntries(names.map((name) => [name, url.searchParams.getAll(name).join(',')]));
    const logged = { method, path: url.pathname, query, body: isToken ? undefined : body, status: 0 };
    this.requests.push(logged);
    const { status: _, ...request } = logged;
    const received = {
      authorization: message.headers.authorization,
      form: isToken && typeof body === 'object' ? (body as Record<string, string>) : {},
    };
    const ask = (hooks: readonly RequestHook[]): ReturnType<RequestHook> => {
      const [hook, ...others] = hooks;
      if (hook === undefined) return this.#answer(request, received);
      return hook(request, async () => {
        const answer = await ask(others);
        if (typeof answer === 'string') throw new Error(`a hook before this one has said: ${answer}`);
        return answer;
      });
    };
    const answer = await ask([...this.#hooks]);
    if (answer === 'hang') return;
    if (answer === 'hang-up') {
      message.socket.destroy();
      return;
    }
    logged.status = answer.status;
    send(response, answer);
  }
}

function send(response: ServerResponse, { status, headers = {}, body }: TenantAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

/** Text that is not JSON stays text, and no operation accepts it. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
