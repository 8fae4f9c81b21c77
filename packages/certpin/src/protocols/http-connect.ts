import { CertpinError } from '../errors.ts';
import { urlHost } from '../host.ts';
import type { UpgradeProtocol, UpgradeStep } from './contract.ts';

const name = 'http-connect';

/** Longest answer of a proxy, in bytes: as much as Node takes for the head of a response. */
const MAX_HEAD_BYTES = 16_384;

const HEAD_END = '\r\n\r\n';

/** What the client asks of a proxy. */
export interface ConnectRequest {
  readonly host: string;
  readonly port: number;
  /** The value of `Proxy-Authorization`. It is a secret. */
  readonly authorization?: string | undefined;
  /** Whether the server speaks first, in plaintext. Then its greeting may directly follow the proxy's consent. */
  readonly greets?: boolean | undefined;
}

/**
 * HTTP CONNECT (RFC 9110 §9.3.6): the client sends the server's host and port to the proxy, and the proxy answers with a status. After a
 * success, the connection leads to the server.
 *
 * @throws CertpinError `ERR_OPTION_INVALID` if the host is not a host: its characters could end the line and begin another
 */
export function createHttpConnect({ host, port, authorization, greets = false }: ConnectRequest): UpgradeProtocol {
  const authority = `${urlHost(host) ?? refuseHost()}:${port}`;
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
  if (authorization !== undefined) lines.push(`Proxy-Authorization: ${authorization}`);
  let answer = '';
  const receive = (bytes: Uint8Array): UpgradeStep => {
    answer += Buffer.from(bytes).toString('latin1');
    return read(answer, greets);
  };
  return { name, opening: Buffer.from(lines.join('\r\n') + HEAD_END, 'latin1'), receive };
}

function read(answer: string, greets: boolean): UpgradeStep {
  const begins = 'HTTP/1.';
  if (!answer.startsWith(begins.slice(0, answer.length))) throw unexpected('the proxy did not answer CONNECT in HTTP');
  const end = answer.indexOf(HEAD_END);
  if (end === -1) {
    if (answer.length > MAX_HEAD_BYTES)
      throw unexpected(`the proxy's answer to CONNECT is longer than ${MAX_HEAD_BYTES} bytes`);
    return { next: 'wait' };
  }
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |\r)/.exec(answer)?.[1]);
  if (Number.isNaN(status)) throw unexpected("the proxy's answer to CONNECT has no status");
  // RFC 9110 §9.3.6: any 2xx. A length in such an answer is ignored, because it has no content.
  if (status < 200 || status > 299) throw refused(status);
  const rest = Buffer.from(answer.slice(end + HEAD_END.length), 'latin1');
  if (greets) return { next: 'tls', rest };
  if (rest.length > 0) {
    // A TLS server never speaks first.
    const message = `${rest.length} plaintext bytes followed the proxy's consent: somebody injected them`;
    throw new CertpinError('ERR_UPGRADE_INJECTED', message, { protocol: name });
  }
  return { next: 'tls' };
}

/** The text of the answer may be anybody's, so it is not shown. */
function refused(status: number): CertpinError<'ERR_PROXY_REFUSED'> {
  const meanings: Record<number, string> = {
    403: 'it does not allow this host or port',
    407: 'it demands a login, or another one: put user name and password into the URL of the proxy',
    502: 'it could not reach the server',
    503: 'it could not reach the server',
    504: 'it could not reach the server in time',
  };
  const meaning = meanings[status];
  const message = `the proxy answered CONNECT with ${status}${meaning === undefined ? '' : `: ${meaning}`}`;
  return new CertpinError('ERR_PROXY_REFUSED', message, { status });
}

function refuseHost(): never {
  throw new CertpinError(
    'ERR_OPTION_INVALID',
    'the host to be reached through the proxy is neither a host name nor an IP address',
    {
      option: 'host',
    },
  );
}

function unexpected(message: string): CertpinError<'ERR_UPGRADE_UNEXPECTED'> {
  return new CertpinError('ERR_UPGRADE_UNEXPECTED', message, { protocol: name });
}
