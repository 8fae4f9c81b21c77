import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { html, textOf } from '../pages/html.ts';
import { layOut } from '../pages/layout.ts';
import { loginForm } from '../pages/login.ts';
import { routes } from '../pages/routes.ts';
import { type Access, type Admission, isFromStrangersPage } from './access.ts';
import { type Answer, HTML, TEXT } from './answer.ts';
import { readCookie, writeCookie } from './cookies.ts';
import { readForm } from './form.ts';
import { isSameText } from './same-text.ts';
import { SESSION_SECONDS } from './sessions.ts';

const FORM_SECONDS = 60 * 60;

/** Asks who the user is. Programs get a sentence. People get the form in place of the requested page. */
export function askForLogin(request: IncomingMessage, access: Access, next: string): Answer {
  const wantsPage = (request.headers.accept ?? '').includes('text/html');
  const headers = access.takesToken ? { 'WWW-Authenticate': 'Bearer realm="certpin watch"' } : {};
  if (!wantsPage || !access.takesToken) {
    const body = access.takesToken
      ? 'A token is needed: Authorization: Bearer TOKEN\n'
      : 'A client certificate is needed.\n';
    return { status: 401, type: TEXT, body, headers };
  }
  // A cookie with SameSite=Strict is not sent when somebody follows a link from a mail or a chat. From this page on, it is.
  if (request.headers['sec-fetch-site'] === 'cross-site' && request.headers['sec-fetch-mode'] === 'navigate') {
    const body = textOf(
      layOut(
        { title: 'You come from another site', hasNavigation: false },
        html`<p>If you are logged in, go on. If you are not, you can log in there.</p><p><a href="${next}">Go on to the page</a></p>`,
      ),
    );
    return { status: 401, type: HTML, body, headers: { ...headers, Refresh: `0; url=${next}` }, holdsSecret: true };
  }
  return form(access, { status: 401, next, headers });
}

interface Shown {
  readonly status: number;
  readonly next: string;
  readonly message?: string;
  readonly headers?: Answer['headers'];
}

function form({ isSecure }: Access, { status, next, message, headers = {} }: Shown): Answer {
  const nonce = randomBytes(32).toString('base64url');
  const body = textOf(layOut({ title: 'Log in', hasNavigation: false }, loginForm({ next, nonce, message })));
  const cookie = writeCookie('form', nonce, FORM_SECONDS, isSecure);
  return { status, type: HTML, body, headers: { ...headers, 'Set-Cookie': cookie }, holdsSecret: true };
}

/** The form comes back. It counts only if this browser got it from us: nobody else can set that cookie. */
export async function logIn(request: IncomingMessage, access: Access, now: number): Promise<Answer> {
  const fields = await readForm(request);
  if (fields === undefined) return { status: 400, type: TEXT, body: 'This is not the form of this page.\n' };
  const next = ownPath(fields.get('next'));
  const nonce = readCookie(request.headers.cookie, 'form', access.isSecure);
  const isOurs = nonce !== undefined && isSameText(nonce, fields.get('form') ?? '') && !isFromStrangersPage(request);
  if (!isOurs)
    return form(access, {
      status: 403,
      next,
      message: 'This form was too old, or it was sent from another site. Please send this one.',
    });
  const admission: Admission = access.tryToken(request, (fields.get('token') ?? '').trim(), now);
  if (admission.kind === 'wait') {
    const minutes = Math.ceil(admission.seconds / 60);
    const message = `Too many wrong tokens came from your address. Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`;
    return form(access, { status: 429, next, message, headers: { 'Retry-After': String(admission.seconds) } });
  }
  if (admission.kind !== 'admitted') return form(access, { status: 401, next, message: 'This is not the token.' });
  const session = access.sessions.open(now);
  const cookies = [
    writeCookie('session', session, SESSION_SECONDS, access.isSecure),
    writeCookie('form', '', 0, access.isSecure),
  ];
  return { status: 303, type: TEXT, body: '', headers: { Location: next, 'Set-Cookie': cookies } };
}

/** A stranger's page can send this, but without the cookie. Then nothing ends. */
export function logOut(request: IncomingMessage, access: Access): Answer {
  const session = readCookie(request.headers.cookie, 'session', access.isSecure);
  if (session !== undefined && !isFromStrangersPage(request)) access.sessions.close(session);
  return {
    status: 303,
    type: TEXT,
    body: '',
    headers: { Location: '/', 'Set-Cookie': writeCookie('session', '', 0, access.isSecure) },
  };
}

/** The page after the login: always one of ours, whatever the form says. */
export function ownPath(text: string | null): string {
  const [path = '', query = ''] = (text ?? '').split('?', 2);
  if (!routes.has(path)) return '/';
  return query === '' ? path : `${path}?${new URLSearchParams(query).toString()}`;
}
