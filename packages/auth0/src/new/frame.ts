import { inlineBlock } from '../inline/index.ts';
import type { Plan, ScriptClient } from './options.ts';
import { indent } from './text.ts';

/**
 * What surrounds the pieces of a script.
 *
 * - `function`: a custom database script or a Rule is one function and nothing else. Its settings are the global `configuration`. What must
 *   be kept is kept on `global`. Packages are required by name and version. certpin is inside it.
 * - `module`: an Action or a Hook. Its settings are secrets that each call gets. What must be kept is kept in the module. The versions of
 *   packages are among its dependencies, and certpin may be one of them.
 */
export interface Frame {
  readonly scope: 'function' | 'module';
  readonly plan: Plan;
}

/** Versions that were seen in public scripts, for scripts that can require only vetted packages. None: the platform chooses. */
const vettedVersions: Record<string, string> = {
  pg: '8.11.3',
  mysql: '2.18.1',
  tedious: '11.0.3',
  mongodb: '5.1.0',
  axios: '1.2.1',
  bcryptjs: '2.4.3',
  bcrypt: '5.0.1',
};

/** Versions of the dependencies of Actions and Hooks. certpin is tested with these. certpin's own version is that of the blocks. */
const npmVersions: Record<string, string> = {
  ...{ pg: '8.23.1', mysql2: '3.24.6', mysql: '2.18.1', axios: '1.21.1', ldapts: '8.2.0' },
};

/** `require('pg@8.11.3')`, or `require('pg')` if the version is set elsewhere. */
export function requireOf(module: string, { scope, plan }: Frame): string {
  const version = scope === 'module' ? '' : (plan.modules[module] ?? vettedVersions[module] ?? '');
  return `require('${version === '' ? module : `${module}@${version}`}')`;
}

/** The version of a dependency. '' if the options say so. */
export function dependencyVersion(module: string, plan: Plan): string {
  return plan.modules[module] ?? npmVersions[module] ?? inlineBlock(plan.client).version;
}

/** The first argument of every helper that needs the settings: `secrets` in modules, nothing in functions. */
export function parameters(frame: Frame, ...names: readonly string[]): string {
  return [...(frame.scope === 'module' ? ['secrets'] : []), ...names].join(', ');
}

export const subpaths: Record<ScriptClient, readonly [subpath: string, name: string]> = {
  pg: ['pg', 'pinnedPg'],
  mysql2: ['mysql2', 'pinnedMysql2'],
  mysql: ['mysql', 'pinnedMysql'],
  tedious: ['mssql', 'pinnedTedious'],
  mongodb: ['mongodb', 'pinnedMongodb'],
  ldapts: ['ldap', 'pinnedLdapts'],
  axios: ['axios', 'pinnedAxios'],
  fetch: ['undici', 'pinnedFetch'],
};

/** The function that pins a client's configuration: of the package, or of the library in the script. */
export function pinnedName({ plan }: Frame): string {
  return subpaths[plan.client][1];
}

/** The library in the script. It comes at the end, so that a reader meets the script first. */
export function certpinPart({ plan }: Frame): string {
  if (plan.form === 'npm') return '';
  const [, name] = subpaths[plan.client];
  return `// The library that checks the certificate. Is it unmodified? certpin auth0 verify FILE
function ${name}(...options) {
${indent(inlineBlock(plan.client).text.trimEnd())}

  return certpin.${name}(...options);
}`;
}
