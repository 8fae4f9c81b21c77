import { readFileSync } from 'node:fs';

/** Of the package's own file, which lies beside the folder of the program: sources and bundle are alike in that. */
export function readVersion(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}
