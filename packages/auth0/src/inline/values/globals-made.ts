import type { Node } from 'estree';
import { isNodeGlobal } from '../known/globals.ts';
import type { Script } from '../script.ts';
import { plainPath } from '../syntax.ts';
import { isCertain } from './certain.ts';
import type { MemberWrite } from './member-writes.ts';
import { UNSET, type Value } from './value.ts';

/**
 * The globals that the script makes: `global.pool = …`, and a name that is written but nowhere declared.
 *
 * @returns each global, with its value before the script writes it
 */
export function globalsMade(script: Script, memberWrites: readonly MemberWrite[]): ReadonlyMap<string, Value[]> {
  const members = memberWrites.flatMap(({ object, key }) =>
    object.type === 'Identifier' && /^(?:global|globalThis)$/.test(object.name) ? (key.text ?? []) : [],
  );
  const names = script.references
    .filter((reference) => reference.resolved === null && reference.isWrite())
    .map(({ identifier }) => identifier.name);
  const made = [...members, ...names].filter((name) => !isNodeGlobal(name));
  return new Map(made.map((name) => [name, isCertainGlobal(script, memberWrites, name) ? [] : [UNSET]]));
}

/** Whether one of the writes to a global always happens when it must. */
function isCertainGlobal({ references, parents }: Script, memberWrites: readonly MemberWrite[], name: string): boolean {
  const isPlace = (node: Node): boolean => plainPath(node)?.replace(/^global(?:This)?\./, '') === name;
  const writes = [
    ...memberWrites.map(({ node }) => node).filter(isPlace),
    ...references.flatMap((reference) =>
      reference.resolved === null && reference.isWrite() && reference.identifier.name === name
        ? [reference.identifier as Node]
        : [],
    ),
  ];
  return writes.some((write) => isCertain(write, isPlace, parents));
}
