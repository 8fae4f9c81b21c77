import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { closest, fileErrorWords, parseSpan, type Span } from '@certpin/pins-file';
import { Ajv, type ErrorObject } from 'ajv';
import { findNodeAtLocation, getNodeValue, type Node, type ParseError, parseTree } from 'jsonc-parser';
import type { ReceiverSettings } from '../notices/settings.ts';
import { checkTimeZone, DEFAULT_LISTEN, type ListenSettings } from '../server/settings.ts';
import { defaultHysteresis, type Hysteresis } from '../states/hysteresis.ts';
import type { State } from '../types.ts';
import { ConfigError } from './config-error.ts';
import type { SecretPlace } from './secret.ts';
import { readStorePlace, type StorePlace } from './store-place.ts';

/** certpin.watch.json, after a check by its schema. */
interface ConfigFile {
  readonly file?: string;
  readonly store?: string;
  readonly storePinsFile?: string;
  readonly storePassword?: SecretPlace;
  readonly intervalSeconds?: number;
  readonly recheckSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly retries?: number;
  readonly concurrency?: number;
  readonly expiresWithin?: string;
  readonly hysteresis?: Readonly<Partial<Record<'up' | 'down', Readonly<Partial<Record<State, number>>>>>>;
  readonly keepDays?: number;
  readonly keepDailyDays?: number;
  readonly name?: string;
  readonly listen?: ListenSettings;
  readonly timeZone?: string;
  readonly metrics?: { readonly targets?: number };
  readonly receivers?: readonly ReceiverSettings[];
}

/** What the command line says. It takes precedence over the file. Paths are found from the current folder. */
export interface ConfigFlags {
  readonly config?: string | undefined;
  readonly file?: string | undefined;
  readonly store?: string | undefined;
  readonly storePinsFile?: string | undefined;
  /** The file of the store if neither the command line nor the configuration names a store. */
  readonly usualStore?: string | undefined;
  readonly intervalSeconds?: number | undefined;
  /** `HOST:PORT`, or `none`. */
  readonly listen?: string | undefined;
  readonly behindProxy?: boolean | undefined;
  readonly timeZone?: string | undefined;
}

/** Everything that a watcher must know, with every default filled in. */
export interface WatchConfig {
  /** The folder from which the paths of the configuration are found. */
  readonly folder: string;
  readonly file: string;
  readonly store: StorePlace;
  /** undefined: the pins file says it. */
  readonly intervalSeconds: number | undefined;
  readonly recheckSeconds: number;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly concurrency: number;
  readonly expiresWithin: Span | undefined;
  readonly hysteresis: Hysteresis;
  readonly keepDays: number;
  readonly keepDailyDays: number;
  /** The name of the watcher in notices. */
  readonly name: string;
  readonly receivers: readonly ReceiverSettings[];
  readonly listen: ListenSettings;
  /** Of the pages. */
  readonly timeZone: string;
  /** With more targets than this, the metrics contain only sums. */
  readonly metricsTargets: number;
}

const DEFAULT_CONFIG = 'certpin.watch.json';

/**
 * Reads the configuration. Without a file, the defaults apply.
 *
 * @throws ConfigError with line and column of the first mistake
 */
export function readConfig(flags: ConfigFlags): WatchConfig {
  const path = flags.config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined);
  const file = path === undefined ? {} : parseConfig(readText(path), path);
  const folder = path === undefined ? process.cwd() : dirname(resolve(path));
  const place = (flag: string | undefined, own: string | undefined, otherwise: string): string =>
    flag !== undefined ? resolve(flag) : resolve(folder, own ?? otherwise);
  return {
    folder,
    file: place(flags.file, file.file, 'certpin.json'),
    store: storeOf(flags, file, folder),
    intervalSeconds: flags.intervalSeconds ?? file.intervalSeconds,
    recheckSeconds: file.recheckSeconds ?? 60,
    timeoutSeconds: file.timeoutSeconds ?? 10,
    retries: file.retries ?? 1,
    concurrency: file.concurrency ?? 32,
    expiresWithin: file.expiresWithin === undefined ? undefined : parseSpan(file.expiresWithin),
    hysteresis: {
      up: { ...defaultHysteresis.up, ...file.hysteresis?.up },
      down: { ...defaultHysteresis.down, ...file.hysteresis?.down },
    },
    keepDays: file.keepDays ?? 400,
    keepDailyDays: file.keepDailyDays ?? 90,
    name: file.name ?? hostname(),
    receivers: file.receivers ?? [],
    listen: {
      ...file.listen,
      address: flags.listen ?? file.listen?.address ?? DEFAULT_LISTEN,
      behindProxy: flags.behindProxy ?? file.listen?.behindProxy ?? false,
    },
    timeZone: checkTimeZone(flags.timeZone ?? file.timeZone ?? 'UTC'),
    metricsTargets: file.metrics?.targets ?? 10_000,
  };
}

/** @throws ConfigError */
function storeOf(flags: ConfigFlags, file: ConfigFile, folder: string): StorePlace {
  const pinsFile =
    flags.storePinsFile !== undefined
      ? resolve(flags.storePinsFile)
      : file.storePinsFile === undefined
        ? undefined
        : resolve(folder, file.storePinsFile);
  const settings = { pinsFile, password: file.storePassword };
  if (flags.store !== undefined) return readStorePlace(flags.store, '--store', process.cwd(), settings);
  return readStorePlace(file.store ?? `sqlite:${flags.usualStore ?? 'certpin.watch.db'}`, '"store"', folder, settings);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, ' ');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      `${path}: ${code === 'ENOENT' ? 'no such file' : (fileErrorWords[code] ?? 'it cannot be read')}`,
    );
  }
}

function parseConfig(text: string, path: string): ConfigFile {
  const refuse = (offset: number, message: string): never => {
    const before = text.slice(0, offset).split(/\r\n|\r|\n/);
    throw new ConfigError(`${path}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}: ${message}`);
  };
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined || root === undefined) return refuse(error?.offset ?? 0, 'it is not JSON');
  refuseTwice(root, refuse);
  const value: unknown = getNodeValue(root);
  const validate = new Ajv({ verbose: true, discriminator: true }).compile(readSchema());
  if (validate(value)) return value as ConfigFile;
  const [first] = validate.errors ?? [];
  if (first === undefined) return refuse(0, 'it cannot be used');
  const at = first.instancePath.split('/').slice(1).map(toSegment);
  const node = findNodeAtLocation(root, at) ?? root;
  const { key, message } = describe(first, at);
  const child = key === undefined ? undefined : node.children?.find(({ children }) => children?.[0]?.value === key);
  return refuse((child ?? node).offset, message);
}

/** Otherwise, the last one would silently win. */
function refuseTwice(node: Node, refuse: (offset: number, message: string) => never): void {
  const seen = new Set<unknown>();
  for (const child of node.children ?? []) {
    if (child.type === 'property') {
      const name = child.children?.[0]?.value;
      if (seen.has(name)) refuse(child.offset, 'this key is given twice');
      seen.add(name);
    }
    refuseTwice(child, refuse);
  }
}

/** RFC 6901 §4. */
function toSegment(text: string): string | number {
  const name = text.replaceAll('~1', '/').replaceAll('~0', '~');
  return /^\d+$/.test(name) ? Number(name) : name;
}

/** What is wrong, in the words of the schema only. */
function describe(
  { keyword, params, message = 'it cannot be used', parentSchema, schemaPath }: ErrorObject,
  at: readonly (string | number)[],
): { readonly key?: string; readonly message: string } {
  const name = at.length === 0 ? 'the configuration' : `"${at.join('.')}"`;
  if (keyword === 'additionalProperties') {
    const key = String(params.additionalProperty);
    const known = Object.keys((parentSchema as { properties?: object } | undefined)?.properties ?? {});
    const meant = closest(key, known);
    const shown = /^[\w$-]{1,40}$/.test(key) ? ` "${key}"` : '';
    return { key, message: `unknown key${shown}${meant === undefined ? '' : `; did you mean "${meant}"?`}` };
  }
  if (/definitions\/secret/.test(schemaPath)) {
    return { message: `${name} is where the secret stands: { "file": PATH } or { "env": NAME }` };
  }
  if (keyword === 'enum') return { message: `${name} is one of ${(params.allowedValues as string[]).join(', ')}` };
  if (keyword === 'pattern') return { message: `${name} cannot be used: see the documentation of this key` };
  return { message: `${name} ${message}` };
}

interface Schema {
  readonly [key: string]: unknown;
}

/** It is next to the folder of the program. That is true for the sources and for the build. */
function readSchema(): Schema {
  return JSON.parse(readFileSync(new URL('../../watch.schema.json', import.meta.url), 'utf8')) as Schema;
}
