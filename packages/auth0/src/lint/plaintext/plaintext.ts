import type { Node } from 'estree';
import { nameOf } from '../ast.ts';
import type { Entry, ObjectValue } from '../value.ts';
import type { Values } from '../values.ts';

/** Why a connection has no TLS, as a message of `require-tls`, and where this is in the file. */
export interface Plaintext {
  readonly id: 'none' | 'off' | 'offered' | 'late' | 'sentinels';
  readonly node: Node;
  /** What switches TLS off. */
  readonly setting?: string;
  /** Whether the server is on this machine, if the client has its own way to say so. */
  readonly isLocal?: boolean;
}

/** A later assignment to a member of nested options: `config.options.encrypt = true`. */
export type Within = (object: ObjectValue, name: string) => Entry | undefined;

/** A setting that can only be false, null or undefined. If a condition chooses its value, somebody has thought of TLS. */
export function isOff(entry: Entry | undefined, values: Values): boolean {
  return entry !== undefined && values.possible(entry.value).every((one) => one.kind === 'constant' && !one.value);
}

/** A setting that can only be true. */
export function isOn(entry: Entry | undefined, values: Values): boolean {
  return entry !== undefined && values.possible(entry.value).every((one) => one.kind === 'constant' && one.value);
}

/** A setting that switches TLS off: `ssl: false`. */
export function switchedOffBy({ node }: Entry): Plaintext {
  const name = nameOf(node.type === 'AssignmentExpression' ? (node.left as Node) : node) ?? 'ssl';
  return { id: 'off', node, setting: `${name}: false` };
}
