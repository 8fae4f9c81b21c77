import type { ModuleValue, Value } from './value.ts';

/** The module that `require('pg@8.7.1')`, `require('mysql2@3.9.7/promise')` or an import names. */
export function moduleNamed(specifier: string): ModuleValue {
  const [, name = '', version, path = ''] =
    /^(?:node:)?((?:@[^/]+\/)?[^@]+)(?:@([^/]+)(\/.*)?)?$/.exec(specifier) ?? [];
  return { kind: 'module', name: name + path, version, path: [] };
}

/** The package of a module, without the path in it: `mysql2` of `mysql2/promise`. */
export function packageNameOf({ name }: ModuleValue): string {
  return /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name;
}

/** The names that Auth0 declared for scripts up to Node.js 12, and the packages that they were. */
const MAGIC: Readonly<Record<string, string>> = {
  mysql: 'mysql',
  mysql2: 'mysql2',
  mysql_pool: 'mysql',
  pg: 'pg',
  postgres: 'pg',
  request: 'request',
  axios: 'axios',
  https: 'https',
  tls: 'tls',
};

/** The package of a value, or of the object that contains it. A global counts if Auth0 once declared it. */
export function asModule(value: Value): ModuleValue | undefined {
  if (value.kind === 'module') return value;
  if (value.kind !== 'global') return undefined;
  const [name = '', ...path] = value.path;
  const module = Object.hasOwn(MAGIC, name) ? MAGIC[name] : undefined;
  return module === undefined ? undefined : { kind: 'module', name: module, version: undefined, path };
}
