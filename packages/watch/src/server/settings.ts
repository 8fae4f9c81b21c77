import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileErrorWords } from '@certpin/pins-file';
import { ConfigError } from '../config/config-error.ts';
import type { ReadSecret, SecretPlace } from '../config/secret.ts';
import { checkListenOptions, type ListenOptions, type TlsFiles } from './listen-options.ts';

/** The key `listen` of the configuration. */
export interface ListenSettings {
  /** `HOST:PORT`; `none`: no page. */
  readonly address?: string;
  readonly tls?: TlsSettings;
  readonly behindProxy?: boolean;
  readonly token?: SecretPlace;
  readonly names?: readonly string[];
}

interface TlsSettings {
  /** Paths of PEM files. */
  readonly certificate: string;
  readonly key: SecretPlace;
  readonly clientCa?: string;
}

export const DEFAULT_LISTEN = '127.0.0.1:9733';

/**
 * The options of the server, with the contents of files and variables.
 *
 * @throws ConfigError if something cannot be read, or would show the pages to anybody
 */
export function readListenSettings(
  { address = DEFAULT_LISTEN, tls, token, behindProxy, names }: ListenSettings,
  folder: string,
  readSecret: ReadSecret,
): ListenOptions | undefined {
  if (address === 'none') return undefined;
  const [, host = '', port = ''] = /^(\[[0-9a-f:.]+\]|[^:\s[\]]+):(\d{1,5})$/i.exec(address) ?? [];
  if (host === '') throw new ConfigError('listen: HOST:PORT is expected, as in 127.0.0.1:9733 or [::1]:9733; or none');
  const options: ListenOptions = {
    ...{ host: host.replace(/^\[|\]$/g, ''), port: Number(port), behindProxy, names },
    tls: tls === undefined ? undefined : readTlsFiles(tls, folder, readSecret),
    token: token === undefined ? undefined : readSecret(token),
  };
  try {
    checkListenOptions(options);
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
  return options;
}

function readTlsFiles({ certificate, key, clientCa }: TlsSettings, folder: string, readSecret: ReadSecret): TlsFiles {
  return {
    certificate: readText(resolve(folder, certificate)),
    key: readSecret(key),
    clientCa: clientCa === undefined ? undefined : readText(resolve(folder, clientCa)),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new ConfigError(`listen: ${path}: ${fileErrorWords[code] ?? 'it cannot be read'}`);
  }
}

/** @throws ConfigError */
export function checkTimeZone(timeZone: string): string {
  if (timeZone === 'UTC') return timeZone; // to look for it among all zones takes a tenth of the start of the program
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return timeZone;
  } catch {
    throw new ConfigError('the time zone is not known: a name is expected, as in Europe/Berlin or UTC');
  }
}
