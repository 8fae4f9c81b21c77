import { fileErrorWords } from './pins-file-error.ts';

/** Node's words are for programmers. If a name has several addresses, its error has no message at all. */
const words: Readonly<Record<string, string>> = {
  ...fileErrorWords,
  EAI_AGAIN: 'the name server did not answer',
  ECONNREFUSED: 'connection refused: nothing listens there',
  ECONNRESET: 'the server reset the connection',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  ENOENT: 'no such file',
  ENOTFOUND: 'no such host, and no such file',
  ETIMEDOUT: 'the server does not answer',
};

/** @param label stands before the words, and `at` is the address after it: neither is repeated */
export function plainWords(
  { code, message }: { readonly code: string; readonly message: string },
  label = '',
  at?: string,
): string {
  // The library explains failed handshakes itself, with the code at the end.
  if (message.endsWith(`(${code})`)) return message;
  const said = words[code] ?? (message || code);
  const called = calledIn(message).filter((address) => !label.endsWith(address) && !isAt(address, at));
  if (called.length > 0) return `${said} (${called.join(', ')})`;
  return code === 'ERR_CONNECT_TIMEOUT' && isBareHost(label) ? `${said} (${label}:443)` : said;
}

/** Node's message says which address and port it called, and the result: `connect ECONNREFUSED ::1:443`. */
function calledIn(message: string): string[] {
  return [...message.matchAll(/\bconnect E[A-Z]+ ([\w.:%-]+):(\d+)(?=,| -|$)/g)].map(([, address = '', port]) =>
    address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
  );
}

/** With or without its port. */
function isAt(address: string, at: string | undefined): boolean {
  return at !== undefined && (address.startsWith(`${at}:`) || address.startsWith(`[${at}]:`));
}

/** A target without a port is asked at that of HTTPS. */
function isBareHost(label: string): boolean {
  return /^[^:/]+$/.test(label);
}
