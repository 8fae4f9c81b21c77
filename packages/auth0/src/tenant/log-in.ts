import { clientProof } from './credentials.ts';
import { fieldOf, type Management } from './management.ts';
import { hide, plain, TenantError } from './tenant-error.ts';

/** The outcome of a login that takes the same way as a real one. */
export type LoginOutcome =
  | { readonly outcome: 'logged-in' }
  /** The script, or the tenant, has refused this user. */
  | { readonly outcome: 'refused'; readonly reason: string }
  /** The question could not be asked: the grant is missing, a second factor is demanded, or there is no client. */
  | { readonly outcome: 'unknown'; readonly reason: string };

/** The password-realm grant. The tenant runs the script of the connection, unless the tenant itself knows the user. */
export async function logIn(
  management: Management,
  realm: string,
  username: string,
  password: string,
): Promise<LoginOutcome> {
  const proof = clientProof(management.credentials);
  if (Object.keys(proof).length === 0) {
    return { outcome: 'unknown', reason: 'a login needs AUTH0_CLIENT_ID and its secret or key, and not a token alone' };
  }
  try {
    const { ok, body } = await management.token({
      grant_type: 'http://auth0.com/oauth/grant-type/password-realm',
      ...{ realm, username, password, ...proof },
    });
    if (ok && typeof fieldOf(body, 'access_token') === 'string') return { outcome: 'logged-in' };
    const error = String(fieldOf(body, 'error') ?? 'no reason is given');
    const said = `${error}: ${String(fieldOf(body, 'error_description') ?? '')}`;
    const reason = plain(hide(said, [password, ...Object.values(proof)]));
    return { outcome: isUnasked(error) ? 'unknown' : 'refused', reason };
  } catch (error) {
    if (!(error instanceof TenantError)) throw error;
    return { outcome: 'unknown', reason: error.message };
  }
}

/** Errors that say nothing about the script. */
function isUnasked(error: string): boolean {
  return [
    ...['unauthorized_client', 'unsupported_grant_type', 'mfa_required', 'invalid_request', 'invalid_client'],
    ...['too_many_requests', 'too_many_attempts', 'requires_verification', 'access_denied_by_rate_limit'],
  ].includes(error);
}
