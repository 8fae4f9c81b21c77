import { readFileSync } from 'node:fs';

/** A JSON file of this package, which lies beside the folder of the program: sources and bundle are alike in that. */
export function readPackageFile(name: 'package.json' | 'pins.schema.json'): unknown {
  return JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
}

export function readVersion(): string {
  return (readPackageFile('package.json') as { version: string }).version;
}
