import { pathToFileURL } from 'node:url';

/** What is fuzzed: the public face of a build of the library. */
export type Library = Pick<typeof import('certpin'), 'Certificate' | 'verify' | 'explain' | 'createPolicy'>;

/** @param path of the `index.js` of another build; default: the one of this checkout */
export async function loadLibrary(path?: string): Promise<Library> {
  return import(path === undefined ? 'certpin' : pathToFileURL(path).href);
}
