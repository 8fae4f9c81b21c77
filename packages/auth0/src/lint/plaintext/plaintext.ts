import type { Node } from 'estree';
import { nameOf } from '../ast.ts';
import type { Entry, ObjectValue } from '../value.ts';
import type { Values } from '../values.ts';

/** Why a connection has no TLS, as a message of `require-tls`, and where that stands. */
export interface Plaintext {
  readonly id: 'none' | 'off' | 'offered' | 'late' | 'sentinels';
  readonly node: Node;
  /** What switches TLS off. */
  readonly setting?: string;
  /** Whether the server is on this machine, where the client says that in a way of its own. */
  readonly isLocal?: boolean;
}

/** What is assigned later to a member of options that stand within others: `config.options.encrypt = true`. */
export type Within = (object: ObjectValue, name: string) => Entry | undefined;

/** A setting that has no value but false, null or undefined. Where a condition chooses, somebody has thought of TLS. */
export function isOff(entry: Entry | undefined, values: Values): boolean {
  return entry !== undefined && values.possible(entry.value).every((one) => one.kind === 'constant' && !one.value);
}

/** A setting that has no value but true. */
export function isOn(entry: Entry | undefined, values: Values): boolean {
  return entry !== undefined && values.possible(entry.value).every((one) => one.kind === 'constant' && one.value);
}

/** That a setting switches TLS off: `ssl: false`. */
export function switchedOffBy({ node }: Entry): Plaintext {
  const name = nameOf(node.type === 'AssignmentExpression' ? (node.left as Node) : node) ?? 'ssl';
  return { id: 'off', node, setting: `${name}: false` };
}
