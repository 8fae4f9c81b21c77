import type { Reference } from 'eslint-scope';
import type { Identifier, Node } from 'estree';
import { isNodeGlobal } from '../known/globals.ts';
import { isUnderstood } from '../known/understood.ts';
import { isGlobalObject, type Values } from '../values/value.ts';
import type { Scene } from './scene.ts';

/** `certpin` belongs to the block alone. What the block uses from outside must not come from the script. */
export function judgeDeclarations(scene: Scene): void {
  const { script, isOurs } = scene.analysis;
  for (const { defs } of script.variables.filter(({ name }) => name === 'certpin'))
    for (const { name } of defs) if (!isOurs(name)) scene.tampered(name, '`certpin` is declared a second time');
  for (const { identifier, resolved } of script.references) {
    const { name } = identifier;
    if (isOurs(identifier)) {
      const isOther =
        resolved?.defs.some((definition) => !isOurs(definition.name)) && !isTheSame(scene.valuesOf(identifier), name);
      if (isOther) scene.tampered(identifier, `the script has a \`${name}\` of its own, which the block would use`);
    } else if (name === 'certpin' && resolved === null) {
      scene.tampered(identifier, '`certpin` is used where no block has made it');
    }
  }
}

/** `const { URLSearchParams } = require('url')`: the global of that name is the same. */
function isTheSame(values: Values, name: string): boolean {
  return [...values].every(
    (value) =>
      value.kind === 'shared' &&
      value.isModule &&
      new Set(['url.URL', 'url.URLSearchParams', 'buffer.Buffer']).has(value.path.join('.')) &&
      value.path[1] === name,
  );
}

/** A name where it is used. */
export function judgeName(scene: Scene, node: Identifier): void {
  if (looksLikeCertpin(node.name)) scene.tampered(node, 'a name that looks like `certpin` and is not');
  const reference = scene.analysis.names.referenceOf(node);
  if (reference === undefined) return;
  if (reference.isWrite()) judgeWrite(scene, node, reference);
  if (reference.resolved !== null || !reference.isRead()) return;
  for (const value of scene.valuesOf(node))
    if (value.kind === 'shared' && !isGlobalObject(value) && !isOnlyLookedAt(scene, node) && !isUnderstood(value))
      scene.unclear(node, `the use of \`${node.name}\` is not understood`);
}

/** Letters of other scripts in place of Latin ones, or invisible joiners. */
function looksLikeCertpin(name: string): boolean {
  const letters = [...name.replace(/[\u200C\u200D]/g, '')];
  const expected = [...'certpin'];
  if (name === 'certpin' || letters.length !== expected.length) return false;
  return letters.every((letter, index) => letter === expected[index] || letter > '\u007F');
}

/** A name that gets another value. */
function judgeWrite(scene: Scene, node: Identifier, { resolved }: Reference): void {
  const { name } = node;
  if (name === 'certpin') {
    if (resolved !== null) scene.tampered(node, '`certpin` is replaced');
  } else if (resolved === null && scene.used.globals.has(name)) {
    scene.tampered(node, `\`${name}\`, which the block uses, is replaced`);
  } else if (resolved === null && isNodeGlobal(name) && name !== 'exports') {
    scene.unclear(node, `\`${name}\` is replaced`);
  }
}

function isOnlyLookedAt(scene: Scene, node: Node): boolean {
  const parent = scene.parentOf(node);
  if (parent?.type === 'UnaryExpression') return parent.operator === 'typeof';
  return parent?.type === 'BinaryExpression';
}
