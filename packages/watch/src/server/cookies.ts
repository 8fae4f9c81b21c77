/** `form`: belongs to a login form that was sent out. `session`: somebody is logged in. */
export type CookieName = 'session' | 'form';

/** `__Host-` (RFC 6265bis section 4.1.3): no other host and no plaintext connection can have set it. */
function fullName(name: CookieName, isSecure: boolean): string {
  return `${isSecure ? '__Host-' : ''}certpin-watch-${name}`;
}

export function readCookie(header: string | undefined, name: CookieName, isSecure: boolean): string | undefined {
  const wanted = fullName(name, isSecure);
  const values = (header ?? '').split(';').flatMap((pair) => {
    const [key, value] = pair.trim().split('=', 2);
    return key === wanted && value !== undefined ? [value] : [];
  });
  // Two of one name: somebody has put one there, and which is ours cannot be told.
  return values.length === 1 && /^[\w-]{1,64}$/.test(values[0] ?? '') ? values[0] : undefined;
}

/** @param seconds 0 takes it back */
export function writeCookie(name: CookieName, value: string, seconds: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  return `${fullName(name, isSecure)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}
