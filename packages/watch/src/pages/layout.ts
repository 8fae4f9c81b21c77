import { type Html, html } from './html.ts';

/** What surrounds a page. */
export interface Frame {
  readonly title: string;
  /** The path of the page, to mark its link. undefined: the page is not in the list. */
  readonly path?: string | undefined;
  /** The path of the same page as JSON. */
  readonly json?: string | undefined;
  /** Somebody is logged in with a cookie, and can log out. */
  readonly canLogOut?: boolean | undefined;
  /** false: no links to other pages, as on the login page. */
  readonly hasNavigation?: boolean | undefined;
  readonly foot?: Html | undefined;
}

const places: readonly (readonly [string, string])[] = [
  ['/', 'Overview'],
  ['/targets', 'Targets'],
  ['/calendar', 'Calendar'],
  ['/changes', 'Changes'],
];

export function layOut({ title, path, json, canLogOut, hasNavigation = true, foot }: Frame, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · certpin watch</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">${
    json === undefined
      ? ''
      : html`
<link rel="alternate" type="application/json" href="${json}">`
  }
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<p class="brand"><a href="/">certpin watch</a></p>
${
  hasNavigation
    ? html`<nav aria-label="Pages"><ul>${places.map(
        ([to, word]) => html`<li><a href="${to}"${to === path ? html` aria-current="page"` : ''}>${word}</a></li>`,
      )}</ul></nav>`
    : ''
}
${canLogOut === true ? html`<form method="post" action="/logout"><button class="plain">Log out</button></form>` : ''}
</header>
<main id="main" tabindex="-1">
<h1><bdi>${title}</bdi></h1>
${body}
</main>
<footer>
${foot ?? ''}${json === undefined ? '' : html`<p><a href="${json}">This page as JSON</a></p>`}
</footer>
</body>
</html>
`;
}
