/**
 * What an expression may stand for.
 *
 * - `plain`: a text, a number, or nothing. `unset`: nothing, because the script may not have written it yet.
 * - `own`: an object that this script made. Its content is followed. `function`: a function or a class of the script.
 * - `fresh`: an object that was made for this script alone. Its content is not known.
 * - `given`: an argument that the platform passes to the function. `data`: a result of `JSON.parse`.
 * - `outside`: a result of a call, an argument of a callback, or a part of an object. It is data, as far as is known.
 * - `anything`: what was read under a name that is not known. It may be a prototype.
 * - `shared`: a module, a global, or a member of one: what all scripts of a container share.
 * - `certpin`: the block's, or a member. `pinned`: what certpin made, or what was made with that.
 */
export type Value =
  | {
      readonly kind:
        | 'plain'
        | 'unset'
        | 'own'
        | 'fresh'
        | 'function'
        | 'given'
        | 'data'
        | 'outside'
        | 'anything'
        | 'pinned';
    }
  | { readonly kind: 'shared'; readonly isModule: boolean; readonly path: readonly string[] }
  | { readonly kind: 'certpin'; readonly path: readonly string[] };

type Kind = Value['kind'];
export type Shared = Extract<Value, { kind: 'shared' }>;

export const PLAIN: Value = { kind: 'plain' };
export const UNSET: Value = { kind: 'unset' };
export const OWN: Value = { kind: 'own' };
export const FRESH: Value = { kind: 'fresh' };
export const FUNCTION: Value = { kind: 'function' };
export const GIVEN_VALUE: Value = { kind: 'given' };
export const DATA: Value = { kind: 'data' };
export const OUTSIDE: Value = { kind: 'outside' };
export const ANYTHING: Value = { kind: 'anything' };
export const PINNED: Value = { kind: 'pinned' };

export function moduleValue(name: string, ...members: string[]): Shared {
  return { kind: 'shared', isModule: true, path: [name, ...members] };
}

export function globalValue(name: string): Shared {
  return { kind: 'shared', isModule: false, path: [name] };
}

export function isGlobalObject({ isModule, path }: Shared): boolean {
  return !isModule && path.length === 1 && /^(?:global|globalThis)$/.test(path[0] ?? '');
}

/** A set of values. */
export class Values implements Iterable<Value> {
  readonly #values = new Map<string, Value>();

  constructor(values: Iterable<Value> = []) {
    this.add(values);
  }

  /** @returns whether there is a new one among them */
  add(values: Iterable<Value>): boolean {
    const before = this.#values.size;
    for (const value of values) {
      const key =
        'path' in value ? `${value.kind} ${'isModule' in value && value.isModule} ${value.path.join('.')}` : value.kind;
      this.#values.set(key, value);
    }
    return this.#values.size > before;
  }

  has(...kinds: readonly Kind[]): boolean {
    return [...this].some(({ kind }) => kinds.includes(kind));
  }

  /** Whether there is a value, and all are of this kind. */
  isAll(kind: Kind): boolean {
    return this.#values.size > 0 && [...this].every((value) => value.kind === kind);
  }

  [Symbol.iterator](): Iterator<Value> {
    return this.#values.values();
  }
}
