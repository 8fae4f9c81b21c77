import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileErrorWords } from '@certpin/pins-file';
import { ConfigError } from './config-error.ts';

/** Where a secret is: a file, as systemd's credentials are, or a variable of the environment. */
export type SecretPlace = { readonly file: string } | { readonly env: string };

/** @throws ConfigError without the secret */
export type ReadSecret = (place: SecretPlace) => string;

/** @param folder the folder of the configuration, from which a file is found */
export function createSecretReader(folder: string, env: Readonly<Record<string, string | undefined>>): ReadSecret {
  return (place) => {
    const value = 'env' in place ? env[place.env] : readFile(resolve(folder, place.file));
    const where = 'env' in place ? `the variable ${place.env}` : place.file;
    if (value === undefined || value === '') throw new ConfigError(`${where}: there is no secret in it`);
    return value;
  };
}

/** Without the line end, which editors add. */
function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'no such file' : (fileErrorWords[code] ?? 'it cannot be read');
    throw new ConfigError(`${path}: ${reason}`);
  }
}
