/**
 * Whether nobody can be on the way to a host: this machine itself or, seen from a container, the machine on which it runs.
 *
 * @param host a name, an address, or the path of a unix socket
 */
export function isLocalHost(host: string): boolean {
  return /^(?:localhost|[\w-]+\.localhost|127(?:\.\d+){3}|::1|\[::1\]|0\.0\.0\.0|host\.(?:docker|containers)\.internal|\/.*)$/i.test(
    host,
  );
}

/** The host of a URL, as written. If there are several, all of them with their commas. undefined: the text is not a URL. */
export function hostOf(url: string): string | undefined {
  return /^\s*[\w+.-]+:\/\/(?:[^@/?#]*@)?(\[[^\]]*\]|[^:/?#]*)/.exec(url)?.[1];
}

/** Whether all hosts of a URL are local: MongoDB's may name several. */
export function isLocalUrl(url: string): boolean {
  const [, scheme = '', hosts = ''] = /^\s*([\w+.-]+:\/\/)(?:[^@/?#]*@)?([^/?#]*)/.exec(url) ?? [];
  return scheme !== '' && hosts.split(',').every((host) => isLocalHost(hostOf(scheme + host) ?? ''));
}
