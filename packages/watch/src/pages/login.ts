import { type Html, html } from './html.ts';

/** The form that exchanges the token for a cookie. */
export function loginForm({
  next,
  nonce,
  message,
}: {
  readonly next: string;
  readonly nonce: string;
  readonly message: string | undefined;
}): Html {
  return html`${message === undefined ? '' : html`<p class="card bad" role="alert">${message}</p>`}
<form class="login" method="post" action="/login">
<p>Whoever runs the watcher has the token: <code>listen.token</code> in <code>certpin.watch.json</code> says where it stands.</p>
<p><label for="token">Token</label><input id="token" type="password" name="token" autocomplete="current-password" required autofocus maxlength="512"></p>
<input type="hidden" name="next" value="${next}"><input type="hidden" name="form" value="${nonce}">
<button>Log in</button>
</form>`;
}
