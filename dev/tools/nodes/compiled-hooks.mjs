import { readFileSync } from 'node:fs';
import process from 'node:process';

const source = /\/packages\/(certpin|auth0)\/src\/(.+)\.ts(?:[?#].*)?$/;
const compiledTo = { certpin: 'build', auth0: 'dist' };

/** Written by dev/tools/nodes.ts: the TypeScript of the tests, as JavaScript, by the path from the root of the repository. */
const transpiled = new Map(Object.entries(JSON.parse(readFileSync(process.env.CERTPIN_TRANSPILED, 'utf8'))));

const root = new URL('../../../', import.meta.url).href;

/** What a module resolved to, or its compiled form where it is a source of a package. */
export function compiled(resolved) {
  if (!source.test(resolved.url)) return resolved;
  const url = resolved.url.replace(source, (_, name, path) => `/packages/${name}/${compiledTo[name]}/${path}.js`);
  return { ...resolved, url, format: 'module' };
}

/** A module of the tests, or undefined. */
export function ofTests(url) {
  const text = url.startsWith(root) ? transpiled.get(decodeURI(url.slice(root.length))) : undefined;
  return text === undefined ? undefined : { format: 'module', source: text, shortCircuit: true };
}

export async function resolve(specifier, context, next) {
  return compiled(await next(specifier, context));
}

export async function load(url, context, next) {
  return ofTests(url) ?? next(url, context);
}
