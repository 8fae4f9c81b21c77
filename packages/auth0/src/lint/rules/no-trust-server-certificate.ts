import type { Node } from 'estree';
import { nameOf } from '../ast.ts';
import { defineRule, type Rule } from '../rule.ts';

export const noTrustServerCertificate: Rule = defineRule({
  name: 'no-trust-server-certificate',
  severity: 'error',
  description: 'trustServerCertificate accepts every certificate of a SQL Server',
  messages: {
    trusts: {
      happens: 'trustServerCertificate: true accepts every certificate, that of an impostor too.',
      instead:
        "Write trustServerCertificate: false, and give the server's certificate as options.cryptoCredentialsDetails.ca.",
    },
  },
  create({ values, report }) {
    const check = (name: string | undefined, value: Node, place: Node): void => {
      if (name === 'trustServerCertificate' && values.mayBe(value, true)) report(place, 'trusts');
    };
    const checkText = (node: Node): void => {
      const value = values.of(node);
      if (value.kind === 'text' && /(?:^|[;?&])\s*trust\s*server\s*certificate\s*=\s*(?:true|yes)\b/i.test(value.text))
        report(node, 'trusts');
    };
    return {
      Property(node) {
        check(nameOf(node), node.value, node);
      },
      AssignmentExpression(node) {
        if (node.left.type === 'MemberExpression') check(nameOf(node.left), node.right, node);
      },
      Literal: checkText,
      TemplateLiteral: checkText,
    };
  },
});
