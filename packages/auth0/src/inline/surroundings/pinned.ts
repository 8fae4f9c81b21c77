import type { Identifier, Node, ObjectExpression } from 'estree';
import { words } from '../known/words.ts';
import type { AnyCall } from '../syntax.ts';
import type { Scene } from './scene.ts';

/** What certpin makes: it is given settings and no code, it is used, and nothing beside it switches it off. */
export function judgePinned(scene: Scene, node: Node): void {
  switch (node.type) {
    case 'VariableDeclarator':
      if (node.init && scene.valuesOf(node.init).has('pinned') && isNeverRead(scene, node.id))
        scene.unclear(node, 'what certpin made is not used');
      break;
    case 'CallExpression':
    case 'NewExpression':
      judgeMaking(scene, node);
      break;
    case 'ObjectExpression':
      judgeNeighbours(scene, node);
      break;
    default:
  }
}

function isNeverRead(scene: Scene, name: Node): boolean {
  if (name.type !== 'Identifier') return false;
  const variable = scene.analysis.names.referenceOf(name)?.resolved;
  return variable?.references.every((reference) => !reference.isRead()) === true;
}

/** A call that makes something pinned. */
function judgeMaking(scene: Scene, node: AnyCall): void {
  const callees = scene.valuesOf(node.callee);
  if (!scene.valuesOf(node).has('pinned')) return;
  if (callees.has('certpin', 'function')) for (const argument of node.arguments) judgeSetting(scene, argument);
  if (callees.has('certpin') && scene.parentOf(node)?.type === 'ExpressionStatement')
    scene.unclear(node, 'what certpin made is not used');
}

/** What certpin is given: values, and no code that could take its place. */
function judgeSetting(scene: Scene, argument: Node): void {
  if (argument.type === 'ObjectExpression') {
    for (const property of argument.properties) {
      if (property.type !== 'Property') judgeSetting(scene, property.argument);
      else if (property.kind !== 'init' || property.method)
        scene.unclear(property, 'certpin is given code as a setting');
      else judgeSetting(scene, property.value);
    }
    return;
  }
  if (argument.type === 'Identifier' && isWrittenTwice(scene, argument))
    scene.unclear(argument, `\`${argument.name}\` is a setting of certpin and is written more than once`);
  if (scene.valuesOf(argument).has('function')) scene.unclear(argument, 'certpin is given code as a setting');
}

function isWrittenTwice(scene: Scene, identifier: Identifier): boolean {
  const variable = scene.analysis.names.referenceOf(identifier)?.resolved;
  return (variable?.references ?? []).filter((reference) => reference.isWrite()).length > 1;
}

/** Options that may stand beside what certpin made: they switch nothing of it off. */
const HARMLESS_OPTIONS: ReadonlySet<string> = words(`
  agent httpsAgent httpAgent auth baseURL body connectionLimit connectionTimeoutMillis data database family form headers host hostname
  idleTimeoutMillis json keepAlive key max maxFreeSockets maxRedirects maxSockets method min params password path pathname pool port
  protocol qs query_timeout queueLimit redirect responseType search signal statement_timeout timeout url user validateStatus
  waitForConnections api client connection`);

/** What certpin made stays what it is: nothing beside it in an object switches it off. */
function judgeNeighbours(scene: Scene, { properties }: ObjectExpression): void {
  const isPinned = (property: (typeof properties)[number]): boolean =>
    scene.valuesOf(property.type === 'Property' ? property.value : property.argument).has('pinned');
  const first = properties.findIndex(isPinned);
  if (first === -1) return;
  const isSpread = properties[first]?.type !== 'Property';
  const names = new Set<string>();
  for (const [index, property] of properties.entries()) {
    const name = writtenName(property);
    const isHarmless =
      name === ''
        ? isPinned(property) || (property.type !== 'Property' && index < first)
        : HARMLESS_OPTIONS.has(name) && !names.has(name);
    if (!isHarmless && !(isSpread && index < first))
      scene.unclear(property, 'this option may switch off what certpin made');
    names.add(name);
  }
}

/** The name of a property as it is written; empty where it is computed, or none. */
function writtenName(property: ObjectExpression['properties'][number]): string {
  if (property.type !== 'Property' || property.computed) return '';
  const { key } = property;
  if (key.type === 'Identifier') return key.name;
  return key.type === 'Literal' ? String(key.value) : '';
}
