import { OAuthError } from './api-error.ts';
import type { Connections } from './connections.ts';
import type { Containers } from './containers.ts';
import type { PasswordLogin } from './tokens.ts';

/** A login by password over a connection: through its script, if it has one and the script is used. */
export function createPasswordLogin(
  connections: Connections,
  containers: Containers | undefined,
  clientId: () => string,
  mfa: boolean,
): PasswordLogin {
  const imported = new Map<string, string>();
  return async (realm, email, password) => {
    const record = connections.all.find(({ name }) => name === realm);
    if (record === undefined || !(record.fields.enabled_clients as readonly string[]).includes(clientId())) {
      throw new OAuthError(
        400,
        'invalid_request',
        `The connection ${realm} does not exist, or is not enabled for the client`,
      );
    }
    const { enabledDatabaseCustomization: isCustom, import_mode: imports } = record.options;
    const user = `${record.id} ${email}`;
    // Once a user was imported, the tenant knows the password, and the script is never called again.
    const known = imports === true ? imported.get(user) : undefined;
    if (known === undefined && isCustom === true) {
      if (containers === undefined) throw new Error('a login needs runContainer');
      const result = await containers.login(record, email, password);
      if ('error' in result) throw new OAuthError(403, result.error, result.error_description);
      if (imports === true) imported.set(user, password);
    } else if (known !== password) {
      throw new OAuthError(403, 'invalid_grant', 'Wrong email or password.');
    }
    if (mfa) throw new OAuthError(403, 'mfa_required', 'Multifactor authentication required');
  };
}
