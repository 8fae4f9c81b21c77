/** `form`: belongs to a login form that we sent. `session`: somebody is logged in. */
export type CookieName = 'session' | 'form';

/** `__Host-` (RFC 6265bis section 4.1.3): no other host, and no plaintext connection, can have set it. */
function fullName(name: CookieName, isSecure: boolean): string {
  return `${isSecure ? '__Host-' : ''}certpin-watch-${name}`;
}

export function readCookie(header: string | undefined, name: CookieName, isSecure: boolean): string | undefined {
  const wanted = fullName(name, isSecure);
  const values = (header ?? '').split(';').flatMap((pair) => {
    const [key, value] = pair.trim().split('=', 2);
    return key === wanted && value !== undefined ? [value] : [];
  });
  // If there are two with one name, somebody else has set one, and ours cannot be recognised.
  return values.length === 1 && /^[\w-]{1,64}$/.test(values[0] ?? '') ? values[0] : undefined;
}

/** @param seconds 0 deletes it */
export function writeCookie(name: CookieName, value: string, seconds: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  return `${fullName(name, isSecure)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}
