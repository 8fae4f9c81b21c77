import type { Node } from 'estree';
import type { AnyCall, AnyFunction } from './ast.ts';

/** What is known of an expression without running it. */
export type Value =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'constant'; readonly value: number | bigint | boolean | null | undefined }
  /** A string. A hole stands for every unknown part. */
  | { readonly kind: 'text'; readonly text: string }
  | ObjectValue
  | { readonly kind: 'function'; readonly node: AnyFunction }
  /** A package, or a member of one: `require('pg').Pool`. */
  | ModuleValue
  /** What a package's function or class made, or a member of it. */
  | { readonly kind: 'made'; readonly by: ModuleValue; readonly node: AnyCall; readonly path: readonly string[] }
  /** A name that the file does not declare, or a member of it: `process.env.PGSSLMODE`. */
  | { readonly kind: 'global'; readonly path: readonly string[] }
  | { readonly kind: 'either'; readonly values: readonly Value[] };

export interface ObjectValue {
  readonly kind: 'object';
  readonly node: Node;
  readonly entries: ReadonlyMap<string, Entry>;
  /** It may have properties that cannot be seen. */
  readonly open: boolean;
}

export interface Entry {
  /** The property, or the assignment, that set it. */
  readonly node: Node;
  readonly value: Node;
}

export interface ModuleValue {
  readonly kind: 'module';
  readonly name: string;
  /** `require('pg@8.7.1')`, as Auth0 has it. */
  readonly version: string | undefined;
  readonly path: readonly string[];
}

export const UNKNOWN: Value = { kind: 'unknown' };

/** Each of them once: nested conditions would double their number. */
export function either(values: readonly Value[]): Value {
  const different = new Map<unknown, Value>();
  for (const value of values.flatMap(flatten))
    different.set(value.kind === 'text' ? value.text : value.kind === 'constant' ? `=${value.value}` : value, value);
  const [first, ...others] = different.values();
  if (first === undefined) return UNKNOWN;
  return others.length === 0 ? first : { kind: 'either', values: [first, ...others] };
}

/** All that a value may be, one by one. */
export function flatten(value: Value): Value[] {
  return value.kind === 'either' ? value.values.flatMap(flatten) : [value];
}

/** The objects among all that a value may be. */
export function objectsOf(values: readonly Value[]): ObjectValue[] {
  return values.filter((value) => value.kind === 'object');
}
