import type { Key } from '../keys/key.ts';
import { type Value, Values } from './value.ts';

/** Whose object it is. A value that is put into an unknown object may be in any object. */
export type Home = 'own' | 'given' | 'unknown';

export function homeOf({ kind }: Value): Home {
  if (kind === 'own' || kind === 'fresh' || kind === 'pinned') return 'own';
  return kind === 'given' || kind === 'data' ? 'given' : 'unknown';
}

/** Used if the name of a field is not known: it is a number, or a name with a special character, or nothing is known. */
const [INDEX, APART, UNNAMED] = ['[]', '~', '?'] as const;

/** What was put into objects, by whose they are and the name under which it was put there. */
export class Fields {
  readonly #values = new Map<string, Values>();

  /** @returns whether something new was put there */
  put(home: Home, { text, isIndex, isApart }: Key, values: Iterable<Value>): boolean {
    const field = `${home} ${isIndex ? INDEX : (text ?? (isApart ? APART : UNNAMED))}`;
    const known = this.#values.get(field) ?? new Values();
    this.#values.set(field, known);
    return known.add(values);
  }

  /** What may stand in an object under a name. */
  at(home: Home, { text, isIndex, isApart }: Key): readonly Value[] {
    const names = [UNNAMED, ...(isIndex ? [INDEX] : isApart ? [APART] : []), ...(text === undefined ? [] : [text])];
    return names.flatMap((name) => [home, 'unknown'].flatMap((at) => [...(this.#values.get(`${at} ${name}`) ?? [])]));
  }

  /** Whether what certpin made stands in an object of the script under this name. */
  mayHoldPinned({ text }: Key): boolean {
    return text !== undefined && this.#values.get(`own ${text}`)?.has('pinned') === true;
  }

  /** Whether something else stands in an object of the script under this name. */
  mayHoldOther(name: string): boolean {
    const held = this.#values.get(`own ${name}`);
    return held !== undefined && [...held].some(({ kind }) => kind !== 'pinned');
  }
}
