import { Agent, buildConnector, type RequestInfo, type RequestInit, fetch as undiciFetch } from 'undici-7';

/** A `fetch` that finds one tenant by its domain, and calls nobody else. */
export function createFetch(
  domain: string,
  port: number,
  ca: string,
): { readonly fetch: typeof fetch; readonly close: () => Promise<void> } {
  const connect = buildConnector({ ca });
  const dispatcher = new Agent({
    connect: (options, done) => {
      const wanted = `${options.hostname}:${options.port || '443'}`;
      if (![`${domain}:443`, `localhost:${port}`].includes(wanted)) {
        done(new Error(`${wanted} is not the fake tenant`), null);
        return;
      }
      connect({ ...options, hostname: '127.0.0.1', port: String(port), servername: options.hostname }, done);
    },
  });
  const call = (input: RequestInfo, init?: RequestInit): ReturnType<typeof undiciFetch> =>
    undiciFetch(input, { ...init, dispatcher });
  return { fetch: call as unknown as typeof fetch, close: () => dispatcher.destroy() };
}
