import type { Node, ObjectExpression } from 'estree';
import { AGENTS } from '../known/connectors.ts';
import { words } from '../known/words.ts';
import { type AnyCall, isFalse } from '../syntax.ts';
import type { Scene } from './scene.ts';

type Properties = ObjectExpression['properties'];

/** Options that may be next to what certpin made, because they switch nothing of it off. An agent must be the pinned one. */
const HARMLESS_OPTIONS: ReadonlySet<string> = words(`
  agent httpsAgent httpAgent auth baseURL body connectionLimit connectionTimeoutMillis data database family form headers host hostname
  idleTimeoutMillis json keepAlive key max maxFreeSockets maxRedirects maxSockets method min params password path pathname pool port
  protocol qs query_timeout queueLimit redirect responseType search signal statement_timeout timeout url user validateStatus
  waitForConnections api client connection`);

/** What certpin made stays what it is: nothing next to it in an object switches it off. */
export function judgeNeighbours(scene: Scene, { properties }: ObjectExpression): void {
  const first = properties.findIndex((property) => isPinned(scene, property));
  if (first === -1) return;
  const isSpread = properties[first]?.type !== 'Property';
  judgeOptions(scene, properties, (index) => !isSpread || index >= first);
}

/** `Object.assign({}, pinned, { … })`, which is `{ ...pinned, … }`. */
export function judgeAssigned(scene: Scene, { type, callee, arguments: given }: AnyCall): void {
  if (type !== 'CallExpression' || !isAssign(scene, callee)) return;
  const first = given.findIndex((argument) => scene.valuesOf(argument).has('pinned'));
  for (const argument of first === -1 ? [] : given.slice(first + 1)) {
    if (argument.type === 'ObjectExpression') judgeOptions(scene, argument.properties, () => true);
    else if (!scene.valuesOf(argument).has('pinned'))
      scene.unclear(argument, 'what is assigned here may switch off what certpin made');
  }
}

function isAssign(scene: Scene, callee: Node): boolean {
  return [...scene.valuesOf(callee)].some(
    (value) => value.kind === 'shared' && !value.isModule && value.path.join('.') === 'Object.assign',
  );
}

/** @param counts whether certpin's own options do not override the property at a place */
function judgeOptions(scene: Scene, properties: Properties, counts: (index: number) => boolean): void {
  const first = properties.findIndex((property) => isPinned(scene, property));
  const names = new Set<string>();
  for (const [index, property] of properties.entries()) {
    const name = writtenName(property);
    const isHarmless =
      name === ''
        ? isPinned(scene, property) || (property.type !== 'Property' && index < first)
        : isAllowed(scene, property, name) && !names.has(name);
    if (!isHarmless && counts(index)) scene.unclear(property, 'this option may switch off what certpin made');
    names.add(name);
  }
}

function isAllowed(scene: Scene, property: Properties[number], name: string): boolean {
  if (name === 'proxy') return property.type === 'Property' && isFalse(property.value);
  return HARMLESS_OPTIONS.has(name) && (!AGENTS.has(name) || isPinned(scene, property));
}

function isPinned(scene: Scene, property: Properties[number]): boolean {
  return scene.valuesOf(property.type === 'Property' ? property.value : property.argument).has('pinned');
}

/** The name of a property as it is written. Empty: it is computed, or there is none. */
function writtenName(property: Properties[number]): string {
  if (property.type !== 'Property' || property.computed) return '';
  const { key } = property;
  if (key.type === 'Identifier') return key.name;
  return key.type === 'Literal' ? String(key.value) : '';
}
