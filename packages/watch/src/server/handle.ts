import type { IncomingMessage } from 'node:http';
import { negotiate, watchMetrics } from '../metrics/watch-metrics.ts';
import { type PageContext, QueryError } from '../pages/context.ts';
import { html, textOf } from '../pages/html.ts';
import { layOut } from '../pages/layout.ts';
import { type Route, routes } from '../pages/routes.ts';
import { icon, style } from '../pages/style.ts';
import { createClock } from '../pages/times.ts';
import { isReady } from '../states/late.ts';
import type { PageStore } from '../store/store.ts';
import type { Access, Admission } from './access.ts';
import { type Answer, HTML, JSON_TYPE, TEXT } from './answer.ts';
import { askForLogin, logIn, logOut, ownPath } from './login.ts';

/** What the answers are made from. */
export interface Sources {
  readonly store: PageStore;
  readonly access: Access;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** An IANA name, `UTC`. */
  readonly timeZone: string;
  /** With more targets than this, `/metrics` contains only sums. */
  readonly metricsTargets: number;
}

const forbidden = (body: string): Answer => ({ status: 403, type: TEXT, body: `${body}\n` });

export async function answerTo(request: IncomingMessage, sources: Sources): Promise<Answer> {
  const { access } = sources;
  // `GET http://elsewhere/` is for proxies, and this is not one.
  const [, path = '', query = ''] = /^(\/[^?#]*)(?:\?([^#]*))?$/.exec(request.url ?? '') ?? [];
  if (path === '') return { status: 400, type: TEXT, body: 'A path is expected.\n' };
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const isForm = path === '/login' || path === '/logout';
  if (!isRead && !(isForm && request.method === 'POST'))
    return {
      status: 405,
      type: TEXT,
      body: 'This page is only read.\n',
      headers: { Allow: isForm ? 'POST' : 'GET, HEAD' },
    };
  // Open to everybody, under any name: it only says that the process lives.
  if (path === '/healthz') return { status: 200, type: TEXT, body: 'ok\n' };

  const now = sources.now();
  const admission = access.admit(request, now);
  const refused = refusalOf(admission);
  if (refused !== undefined) return refused;
  const fixed = fixedAnswer(path);
  if (fixed !== undefined) return fixed;
  if (path === '/login' && request.method === 'POST') return logIn(request, access, now);
  if (path === '/logout' && request.method === 'POST') return logOut(request, access);
  if (admission.kind !== 'admitted') return askForLogin(request, access, ownPath(`${path}?${query}`));
  if (path === '/readyz') return readiness(sources, now);
  if (path === '/metrics') return metrics(request, sources, now);
  if (isForm) return { status: 303, type: TEXT, body: '', headers: { Location: '/' } };
  const frame = { canLogOut: admission.by === 'session' };
  const route = routes.get(path);
  if (route === undefined) return complaint(404, 'There is no such page.', frame, path.endsWith('.json'));
  try {
    return await pageAnswer(route, query, frame, sources, now);
  } catch (error) {
    if (error instanceof QueryError) return complaint(error.status, error.message, frame, route.asJson);
    throw error;
  }
}

function refusalOf(admission: Admission): Answer | undefined {
  switch (admission.kind) {
    case 'foreign-host':
      return {
        status: 421,
        type: TEXT,
        body: 'This server is not called by this name. Its names stand in certpin.watch.json: listen.names\n',
      };
    case 'foreign-site':
      return forbidden('A page of another site must not ask for this.');
    case 'wrong-token':
      return {
        status: 401,
        type: TEXT,
        body: 'This is not the token.\n',
        headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
      };
    case 'wait':
      return {
        status: 429,
        type: TEXT,
        body: 'Too many wrong tokens came from this address.\n',
        headers: { 'Retry-After': String(admission.seconds) },
      };
    default:
      return undefined;
  }
}

/** The form needs its style. Both say only that this is certpin watch. */
function fixedAnswer(path: string): Answer | undefined {
  const headers = { 'Cache-Control': 'max-age=3600' };
  if (path === '/style.css') return { status: 200, type: 'text/css; charset=utf-8', body: style, headers };
  if (path === '/icon.svg' || path === '/favicon.ico')
    return { status: 200, type: 'image/svg+xml', body: icon, headers };
  return undefined;
}

interface PageFrame {
  readonly canLogOut: boolean;
}

async function pageAnswer(
  route: Route,
  query: string,
  frame: PageFrame,
  { store, timeZone }: Sources,
  now: number,
): Promise<Answer> {
  const asked = new URLSearchParams(query);
  const clock = createClock(timeZone, now);
  const context: PageContext = { store, clock };
  const page = await route.make(asked, context);
  if (route.asJson) {
    const data = { generatedAt: new Date(now).toISOString(), ...page.data };
    return { status: 200, type: JSON_TYPE, body: `${JSON.stringify(data, null, 1)}\n` };
  }
  const normal = asked.toString();
  const { version } = await store.watcher();
  const foot = html`<p>certpin ${version ?? ''} · made ${clock.moment(now)} · times in ${clock.zone}</p>`;
  const json = normal === '' ? route.json : `${route.json}?${normal}`;
  const body = textOf(layOut({ title: page.title, path: route.path, json, foot, ...frame }, page.body()));
  return { status: 200, type: HTML, body };
}

function complaint(status: number, words: string, frame: PageFrame, asJson: boolean): Answer {
  if (asJson) return { status, type: JSON_TYPE, body: `${JSON.stringify({ error: words })}\n` };
  const title = status === 404 ? 'Not found' : 'The address is not understood';
  const body = textOf(layOut({ title, ...frame }, html`<p>${words}</p><p><a href="/">To the overview</a></p>`));
  return { status, type: HTML, body };
}

async function readiness({ store }: Sources, now: number): Promise<Answer> {
  return isReady(await store.watcher(), now)
    ? { status: 200, type: TEXT, body: 'ready\n' }
    : { status: 503, type: TEXT, body: 'not ready: checks are overdue, or the watcher reaches nobody\n' };
}

async function metrics(request: IncomingMessage, { store, metricsTargets }: Sources, now: number): Promise<Answer> {
  const format = negotiate(request.headers.accept);
  return { status: 200, type: format.type, body: await watchMetrics(store, { ...format, metricsTargets, now }) };
}
