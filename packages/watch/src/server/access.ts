import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from '../loopback.ts';
import { createAttempts } from './attempts.ts';
import { showsClientCertificate } from './client-certificate.ts';
import { readCookie } from './cookies.ts';
import { createHostCheck } from './host-check.ts';
import type { ListenOptions, TlsFiles } from './listen-options.ts';
import { isSameText } from './same-text.ts';
import { createSessions, type Sessions } from './sessions.ts';

/** What a request may do before a page is chosen. */
export type Admission =
  | { readonly kind: 'admitted'; readonly by: 'nobody-asked' | 'token' | 'session' | 'certificate' }
  | { readonly kind: 'foreign-host' }
  | { readonly kind: 'foreign-site' }
  | { readonly kind: 'wait'; readonly seconds: number }
  /** Wrong, and not only missing. */
  | { readonly kind: 'wrong-token' }
  | { readonly kind: 'login' };

export interface Access {
  readonly admit: (request: IncomingMessage, now: number) => Admission;
  /** Of the form. */
  readonly tryToken: (request: IncomingMessage, token: string, now: number) => Admission;
  readonly isOurHost: (request: IncomingMessage) => boolean;
  readonly takesToken: boolean;
  readonly sessions: Sessions;
  /** Cookies are sent only over TLS. On loopback without TLS, there is no TLS to send them over. */
  readonly isSecure: boolean;
  /** The names of a renewed certificate count from now on. */
  readonly renew: (tls: TlsFiles) => void;
}

export function createAccess(options: ListenOptions): Access {
  const { host, tls, behindProxy = false, token } = options;
  let isKnown = createHostCheck(options);
  const isOpen = isLoopback(host) && !behindProxy && token === undefined && tls?.clientCa === undefined;
  const isSecure = tls !== undefined || behindProxy;
  // A stranger's page that calls us by its own name (DNS rebinding) runs at the address of its reader. Its guesses must not lock out the reader.
  const [ofOurs, ofOthers] = [createAttempts(), createAttempts()];
  const sessions = createSessions();
  // A proxy in front may have read the other one of two equal headers.
  const isOurHost = ({ headers, rawHeaders }: IncomingMessage): boolean =>
    rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length === 1 &&
    isKnown(headers.host);

  const tryToken = (request: IncomingMessage, given: string, now: number): Admission => {
    const address = addressOf(request, behindProxy);
    const attempts = isOurHost(request) ? ofOurs : ofOthers;
    const seconds = attempts.waitSeconds(address, now);
    if (seconds > 0) return { kind: 'wait', seconds };
    if (token !== undefined && isSameText(given, token)) {
      attempts.succeeded(address);
      return { kind: 'admitted', by: 'token' };
    }
    attempts.failed(address, now);
    return { kind: 'wrong-token' };
  };

  return {
    isOurHost,
    isSecure,
    sessions,
    renew: (renewed) => {
      isKnown = createHostCheck({ ...options, tls: renewed });
    },
    takesToken: token !== undefined,
    tryToken,
    admit: (request, now) => {
      const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
      // A client that knows the token is not a stranger's page in somebody's browser. It may call us by any name: Prometheus, for example,
      // by address.
      if (bearer !== undefined && token !== undefined) return tryToken(request, bearer, now);
      if (!isOurHost(request)) return { kind: 'foreign-host' };
      if (isFromStrangersPage(request)) return { kind: 'foreign-site' };
      if (isOpen) return { kind: 'admitted', by: 'nobody-asked' };
      if (tls?.clientCa !== undefined && showsClientCertificate(request, now))
        return { kind: 'admitted', by: 'certificate' };
      const session = readCookie(request.headers.cookie, 'session', isSecure);
      if (session !== undefined && sessions.has(session, now)) return { kind: 'admitted', by: 'session' };
      return { kind: 'login' };
    },
  };
}

/**
 * A link that a person follows is allowed. What a stranger's page embeds, fetches or posts is not, whatever it could read of the answer.
 */
export function isFromStrangersPage({ headers, method }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  const isLink = headers['sec-fetch-mode'] === 'navigate' && (headers['sec-fetch-dest'] ?? 'document') === 'document';
  return !isLink || (method !== 'GET' && method !== 'HEAD');
}

/** The proxy adds the address that it saw at the end. What comes before may be written by the client. */
function addressOf(request: IncomingMessage, behindProxy: boolean): string {
  const seen = request.socket.remoteAddress ?? '';
  if (!behindProxy) return seen;
  const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',').at(-1)?.trim() ?? '';
  return isIP(forwarded) === 0 ? seen : forwarded;
}
