import type { Variable } from 'eslint-scope';
import type { Key } from '../keys/key.ts';
import type { AnyFunction } from '../syntax.ts';
import { Fields, type Home } from './fields.ts';
import { type Value, Values } from './value.ts';

/** What was learned of a script so far: the possible values of its names, of its objects, and of the calls of its functions. */
export class Knowledge {
  readonly fields: Fields = new Fields();
  readonly #variables = new Map<Variable, Values>();
  readonly #returned = new Map<AnyFunction, Values>();
  /** Those that the script makes itself. */
  readonly #globals: Map<string, Values>;
  #hasNews = false;

  /** @param globals those that the script makes, with what each of them is before */
  constructor(globals: ReadonlyMap<string, Iterable<Value>>) {
    this.#globals = new Map([...globals].map(([name, values]) => [name, new Values(values)]));
  }

  variable(variable: Variable): Iterable<Value> {
    return this.#variables.get(variable) ?? [];
  }

  returned(by: AnyFunction): Iterable<Value> {
    return this.#returned.get(by) ?? [];
  }

  /** undefined: the script does not write it. */
  global(name: string): Iterable<Value> | undefined {
    return this.#globals.get(name);
  }

  learnVariable(variable: Variable, values: Iterable<Value>): void {
    this.#learn(this.#variables, variable, values);
  }

  learnReturned(by: AnyFunction, values: Iterable<Value>): void {
    this.#learn(this.#returned, by, values);
  }

  learnGlobal(name: string, values: Iterable<Value>): void {
    this.#learn(this.#globals, name, values);
  }

  learnField(home: Home, key: Key, values: Iterable<Value>): void {
    if (this.fields.put(home, key, values)) this.#hasNews = true;
  }

  #learn<K>(map: Map<K, Values>, key: K, values: Iterable<Value>): void {
    const known = map.get(key) ?? new Values();
    map.set(key, known);
    if (known.add(values)) this.#hasNews = true;
  }

  /** Whether something was learned since the last call. */
  takeNews(): boolean {
    const news = this.#hasNews;
    this.#hasNews = false;
    return news;
  }
}
