import { isIPv6, SocketAddress } from 'node:net';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { domainToASCII } from 'node:url';
import { CertpinError } from 'certpin';
import { parseTarget, type Target } from 'certpin/probe';
import { readGrammar } from './schema.ts';

/** A target of a pins file, and how it is asked. */
export interface Placed {
  /** As it stands in the file and in answers. */
  readonly label: string;
  /** The target for a probe. A file is found from the folder of the pins file. */
  readonly target: Target;
  /** Two targets with the same key are the same server, or the same file. */
  readonly key: string;
}

/**
 * Reads a target that stands in a pins file.
 *
 * @throws CertpinError `ERR_TARGET_INVALID`
 */
export function placeTarget(text: string, pinsFile: string, servername: string | undefined): Placed {
  const target = parseTarget(text);
  if ('srvName' in target)
    throw invalid(
      'mongodb+srv:// stands for several servers, and each may have a certificate of its own; give each as mongodb://host:port (certpin trust mongodb+srv://… does so)',
    );
  if (target.protocol !== 'file') return { label: target.label, target, key: keyOf(target, servername) };
  const path = resolve(dirname(pinsFile), target.path);
  return { label: text, target: { ...target, label: path, path }, key: `file ${path}` };
}

/**
 * The same for a target on the command line, where a file is found from the current folder.
 *
 * @throws CertpinError `ERR_TARGET_INVALID`, also for a target that is not allowed in a pins file
 */
export function placeArgument(text: string, pinsFile: string, servername: string | undefined): Placed {
  if (text === '-') throw invalid('standard input cannot be read again: give a file or a server');
  const target = parseTarget(text);
  const label = target.protocol === 'file' ? fromFolderOf(pinsFile, target.path) : target.label;
  if (!readGrammar().target.test(label))
    throw invalid('a target of a pins file must not contain @, = or control characters');
  return placeTarget(label, pinsFile, servername);
}

/**
 * The targets of a pins file that the command line names, in the order of the file. A name is an address, an `id`, or a pattern in which
 * `*` stands for any text.
 *
 * @throws CertpinError `ERR_TARGET_INVALID` if a name fits no target
 */
export function findTargets<Entry extends Placed & { readonly id: string | undefined }>(
  { path, entries }: { readonly path: string; readonly entries: readonly Entry[] },
  names: readonly string[],
): readonly Entry[] {
  const wanted = new Set<Entry>();
  for (const name of names) {
    const found = name.includes('*') ? findByPattern(entries, name) : findByName(entries, name, path);
    for (const entry of found) wanted.add(entry);
  }
  return entries.filter((entry) => wanted.has(entry));
}

function findByName<Entry extends Placed & { readonly id: string | undefined }>(
  entries: readonly Entry[],
  name: string,
  path: string,
): readonly Entry[] {
  const byId = entries.filter(({ id }) => id === name);
  if (byId.length > 0) return byId;
  const { key, label } = placeArgument(name, path, undefined);
  // One server may occur under several server names.
  const found = entries.filter((entry) => entry.key === key || entry.key.startsWith(`${key} as `));
  if (found.length === 0) throw invalid(`${label} is not in ${path}${whatIsIn(entries)}`);
  return found;
}

/** Names to choose from: so a forgotten `id` or a misspelt name is noticed at once. */
function whatIsIn(entries: readonly (Placed & { readonly id: string | undefined })[]): string {
  const names = entries.slice(0, MOST_NAMES).map(({ id, label }) => id ?? label);
  if (names.length === 0) return '';
  const more = entries.length > MOST_NAMES ? `, and ${entries.length - MOST_NAMES} more` : '';
  return `; it has ${names.join(', ')}${more}`;
}

const MOST_NAMES = 5;

/** The target's address in the file, its `id`, and its host with and without the port. */
function findByPattern<Entry extends Placed & { readonly id: string | undefined }>(
  entries: readonly Entry[],
  pattern: string,
): readonly Entry[] {
  const found = entries.filter(({ label, id, target }) => {
    const address = 'host' in target ? [target.host, `${target.host}:${target.port}`] : [];
    return [label, ...(id === undefined ? [] : [id]), ...address].some((name) => matches(pattern, name));
  });
  // The pattern is not repeated: a connection string may have a * in its password.
  if (found.length === 0) throw invalid('no target of the file matches a pattern with *');
  return found;
}

/** Matches piece after piece, each as early as possible, so no pattern takes long. */
function matches(pattern: string, name: string): boolean {
  const [first = '', ...pieces] = pattern.toLowerCase().split('*');
  const text = name.toLowerCase();
  const last = pieces.pop() ?? '';
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of pieces) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** The port counts and the protocol does not: a server that is pinned at a port must not be added again under another protocol. */
function keyOf(target: Target, servername: string | undefined): string {
  const name = servername === undefined ? '' : toName(servername);
  const as = name === '' ? '' : ` as ${name}`;
  if ('socketPath' in target) return `unix ${target.socketPath}${as}`;
  if (!('host' in target)) return '';
  const host = toName(target.host);
  return `${host} ${target.port}${name === host ? '' : as}`; // The host is the sent name in any case.
}

/** The key of a server that is called only by its name. */
export function keyOfName(name: string): string {
  return `${toName(name)} 443`;
}

function toName(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, '');
  // The same address in two zones (`%eth0`) is not the same server.
  if (name.includes(':') && isIPv6(name) && !name.includes('%'))
    return new SocketAddress({ family: 'ipv6', address: name }).address;
  return domainToASCII(name) || name;
}

function fromFolderOf(pinsFile: string, path: string): string {
  const found = relative(dirname(resolve(pinsFile)), resolve(path))
    .split(sep)
    .join('/');
  return isAbsolute(found) || found.startsWith('../') ? found : `./${found}`;
}

function invalid(reason: string): CertpinError<'ERR_TARGET_INVALID'> {
  return new CertpinError('ERR_TARGET_INVALID', reason, { reason });
}
