import { readFileSync } from 'node:fs';

/** From the package's own file, which is next to the folder of the program. That is true for the sources and for the bundle. */
export function readVersion(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}
