const source = /\/packages\/certpin\/src\/(.+)\.ts(?:[?#].*)?$/;

/** What a module resolved to, or its compiled form where it is a source of the library. */
export function compiled(resolved) {
  if (!source.test(resolved.url)) return resolved;
  return { ...resolved, url: resolved.url.replace(source, '/packages/certpin/dist/esm/$1.js'), format: 'module' };
}

export async function resolve(specifier, context, next) {
  return compiled(await next(specifier, context));
}
