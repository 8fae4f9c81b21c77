import type { Node } from 'estree';
import { defineRule, type Rule } from '../rule.ts';
import type { Values } from '../values.ts';

/** The options that switch the verification off, and the value that does. */
const SWITCHES: Readonly<Record<string, boolean>> = {
  rejectUnauthorized: false,
  strictSSL: false,
  sslValidate: false,
  tlsInsecure: true,
  tlsAllowInvalidCertificates: true,
};

export const noRejectUnauthorizedFalse: Rule = defineRule({
  name: 'no-reject-unauthorized-false',
  severity: 'error',
  description: 'The verification of the certificate is switched off',
  messages: {
    off: {
      happens:
        '{{option}}: {{value}} accepts every certificate: whoever stands between you and the server reads and changes everything.',
      instead: "Pin the server's certificate with {{certpin}}, or give the certificate itself as ca.",
    },
  },
  create({ values, report }) {
    const check = (node: Node): void => {
      const off = switchedOff(node, values);
      if (off !== undefined) report(node, 'off', { data: off });
    };
    return { Property: check, PropertyDefinition: check, AssignmentExpression: check };
  },
});

/** The option that a property or an assignment switches the verification off with. */
export function switchedOff(node: Node, values: Values): { option: string; value: string } | undefined {
  const [name, value] =
    node.type === 'Property' || node.type === 'PropertyDefinition'
      ? [values.nameOf(node), node.value]
      : node.type === 'AssignmentExpression' && /^(?:&&|\?\?|\|\|)?=$/.test(node.operator)
        ? [values.nameOf(node.left), node.right]
        : [];
  const off = name !== undefined && Object.hasOwn(SWITCHES, name) ? SWITCHES[name] : undefined;
  if (name === undefined || off === undefined || !value) return undefined;
  const isOff =
    values.mayBe(value, off) ||
    (!off && values.possible(value).some((one) => one.kind === 'constant' && one.value === 0));
  return isOff ? { option: name, value: String(off) } : undefined;
}
