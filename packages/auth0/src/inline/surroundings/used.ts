import type { Node } from 'estree';
import { moduleName } from '../known/modules.ts';
import type { Script } from '../script.ts';

/** What the blocks in a script use of what they share with it. */
export interface Used {
  readonly globals: ReadonlySet<string>;
  readonly modules: ReadonlySet<string>;
}

/** What every block uses without naming it: what literals, classes and promises are made from, and what Node's sockets are. */
const FOUNDATIONS = {
  globals:
    'Array Boolean Buffer Error Function Map Number Object Promise Proxy Reflect RegExp Set String Symbol Uint8Array WeakMap process'.split(
      ' ',
    ),
  modules: ['buffer', 'crypto', 'events', 'module', 'net', 'process', 'stream', 'tls', 'util'],
};

export function usedBy({ references, parents }: Script, isOurs: (node: Node) => boolean): Used {
  const own = references.filter(({ identifier, resolved }) => isOurs(identifier) && resolved === null);
  return {
    globals: new Set([...FOUNDATIONS.globals, ...own.map(({ identifier }) => identifier.name)]),
    modules: new Set([
      ...FOUNDATIONS.modules,
      ...own.flatMap(({ identifier }) => {
        const call = parents.get(identifier);
        const [name] = call?.type === 'CallExpression' ? call.arguments : [];
        return name?.type === 'Literal' ? [moduleName(name.value)] : [];
      }),
    ]),
  };
}
