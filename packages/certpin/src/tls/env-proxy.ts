import { BlockList, isIP } from 'node:net';
import { canonicalHost, isAddress } from '../host.ts';

/** The dialled server. Headers and server names do not matter here. */
export interface DialledServer {
  readonly host?: string | undefined;
  readonly port?: unknown;
}

/**
 * The proxy that the environment names for `https:`, by the rules of curl. A lower-case name comes first. `ALL_PROXY` is used if there is
 * no `HTTPS_PROXY`. A value without a scheme means `http:`. An empty value means no proxy. `HTTP_PROXY` is not read, because CGI makes it
 * from a header.
 *
 * @returns undefined: there is none
 */
export function environmentProxy(): { readonly variable: string; readonly url: string } | undefined {
  for (const variable of ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']) {
    const url = readVariable(variable);
    if (url !== '') return { variable, url: url.includes('://') ? url : `http://${url}` };
  }
  return undefined;
}

/**
 * Reads `NO_PROXY`: entries separated by commas or blanks. What cannot be read is ignored.
 *
 * - `*`: every server
 * - `example.com`: this host and those below it
 * - `.example.com`, `*.example.com`: the hosts below it
 * - an IP address in any spelling
 * - `10.0.0.0/8`: a network
 * - each of them with `:port`: only this port
 *
 * @returns whether the proxy applies to a server
 */
export function proxiedServers(): (server: DialledServer) => boolean {
  const text = readVariable('no_proxy') || readVariable('NO_PROXY');
  const entries = text.split(/[\s,]+/).map(readEntry);
  return ({ host = 'localhost', port }) => {
    const name = canonicalHost(host);
    return name === undefined || !entries.some((matches) => matches(name, Number(port)));
  };
}

function readVariable(variable: string): string {
  return process.env[variable]?.trim() ?? '';
}

type Entry = (name: string, port: number) => boolean;

function readEntry(text: string): Entry {
  const [, host = text, onPort] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(text) ?? [];
  const matches = readHost(host);
  return (name, port) => (onPort === undefined || port === Number(onPort)) && matches(name);
}

function readHost(text: string): (name: string) => boolean {
  if (text === '*') return () => true;
  if (text.includes('/')) return readNetwork(text);
  const host = canonicalHost(text.replace(/^\*?\./, ''));
  if (host === undefined) return () => false;
  const isBelow = (name: string): boolean => !isAddress(name) && !isAddress(host) && name.endsWith(`.${host}`);
  return /^\*?\./.test(text) ? isBelow : (name) => name === host || isBelow(name);
}

function readNetwork(text: string): (name: string) => boolean {
  const network = new BlockList();
  // Digits only. An empty text would be 0, which means every server, and Node ends the process at -0.
  const [, address = '', bits = ''] = /^([^/]*)\/(\d{1,3})$/.exec(text.replace(/[[\]]/g, '')) ?? [];
  const family = familyOf(address);
  try {
    network.addSubnet(address, Number(bits), family);
  } catch {
    return () => false;
  }
  return (name) => {
    const bare = name.replace(/[[\]]/g, '');
    // To Node, every IPv4 address also belongs to `::/0`.
    return isIP(bare) !== 0 && familyOf(bare) === family && network.check(bare, family);
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
