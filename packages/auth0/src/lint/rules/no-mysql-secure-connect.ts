import { calledMethod } from '../ast.ts';
import { defineRule, type Rule } from '../rule.ts';

export const noMysqlSecureConnect: Rule = defineRule({
  name: 'no-mysql-secure-connect',
  severity: 'error',
  description: 'A listener for secureConnect on a MySQL connection, which has no such event',
  messages: {
    never: {
      happens: 'A connection of {{driver}} emits no secureConnect: the listener never runs, and nothing is checked.',
      instead: "Pin the certificate with {{certpin}}, or give the server's certificate as ssl.ca.",
    },
  },
  create({ values, report }) {
    return {
      CallExpression(node) {
        const method = calledMethod(node);
        if (method === undefined || !/^(?:on|once|addListener|prependListener)$/.test(method.name)) return;
        const [event] = node.arguments;
        const name = values.of(event);
        if (name.kind !== 'text' || !/^secure(?:Connect)?$/.test(name.text)) return;
        for (const value of values.possible(method.object)) {
          if (value.kind !== 'made' || !/^mysql2?(?:\/|$)/.test(value.by.name)) continue;
          report(node, 'never', { data: { driver: value.by.name } });
        }
      },
    };
  },
});
