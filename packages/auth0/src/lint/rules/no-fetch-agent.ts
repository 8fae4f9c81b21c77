import { defineRule, type Rule } from '../rule.ts';
import { objectsOf } from '../value.ts';

/** Options of other clients. The global fetch ignores them without a word. */
const IGNORED = ['agent', 'httpsAgent', 'ca', 'checkServerIdentity', 'rejectUnauthorized'];

export const noFetchAgent: Rule = defineRule({
  name: 'no-fetch-agent',
  severity: 'error',
  description: 'An agent, or a TLS option, given to the global fetch, which ignores it',
  messages: {
    ignored: {
      happens: 'The global fetch ignores {{option}}: the request goes out as if it were not there.',
      instead: 'Use the fetch of {{certpin}}, or its agent with node:https.',
    },
  },
  create({ values, report }) {
    return {
      CallExpression(node) {
        const callee = values.of(node.callee);
        if (callee.kind !== 'global' || !/^(?:globalThis\.|global\.|window\.)?fetch$/.test(callee.path.join('.')))
          return;
        for (const options of objectsOf(values.possible(node.arguments[1]))) {
          for (const option of IGNORED) {
            const entry = options.entries.get(option);
            if (entry !== undefined) report(entry.node, 'ignored', { data: { option, how: 'certpin/undici' } });
          }
        }
      },
    };
  },
});
