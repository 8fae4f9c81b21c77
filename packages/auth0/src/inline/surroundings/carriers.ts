import type { Variable } from 'eslint-scope';
import type { Node } from 'estree';
import type { Scene } from './scene.ts';

/** Whether an object may be one into which the script has put what certpin made. */
export function mayCarry(scene: Scene, object: Node): boolean {
  const carriers = scene.analysis
    .memberWrites()
    .filter(({ value }) => value !== undefined && scene.valuesOf(value).has('pinned'))
    .filter((write) => scene.valuesOf(write.object).has('own'))
    .map((write) => variableNamed(scene, write.object));
  if (carriers.length === 0) return false;
  const variable = variableNamed(scene, object);
  const isApart = variable?.references.every(
    ({ writeExpr }) => !writeExpr || /^(?:Object|Array|New)Expr/.test(writeExpr.type),
  );
  return !isApart || carriers.some((carrier) => carrier === undefined || carrier === variable);
}

function variableNamed({ analysis }: Scene, node: Node): Variable | undefined {
  return node.type === 'Identifier' ? (analysis.names.referenceOf(node)?.resolved ?? undefined) : undefined;
}
