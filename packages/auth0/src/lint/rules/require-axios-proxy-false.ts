import type { Node } from 'estree';
import { type AnyCall, calledMethod, nameOf } from '../ast.ts';
import { defineRule, type Fixer, type Rule } from '../rule.ts';
import { type ObjectValue, objectsOf } from '../values.ts';

export const requireAxiosProxyFalse: Rule = defineRule({
  name: 'require-axios-proxy-false',
  severity: 'error',
  description: 'axios with an httpsAgent and without proxy: false',
  fixable: true,
  messages: {
    proxied: {
      happens:
        'Where HTTPS_PROXY is set, or a proxy is given, axios does not use this httpsAgent as it is: the request is sent without its checks.',
      instead: 'Write proxy: false beside httpsAgent.',
    },
  },
  create({ values, report }) {
    const seen = new Set<Node>();
    let defaultsAreSafe = false;
    const assigned: Node[] = [];
    const check = (options: ObjectValue): void => {
      const agent = options.entries.get('httpsAgent');
      const proxy = options.entries.get('proxy');
      if (agent === undefined || seen.has(agent.node) || (proxy === undefined && options.open)) return;
      if (
        proxy !== undefined &&
        !values.possible(proxy.value).every((one) => one.kind !== 'constant' || one.value !== false)
      )
        return;
      seen.add(agent.node);
      const [start = 0] = agent.node.range ?? [];
      const insert = (fixer: Fixer) => fixer.replaceTextRange([start, start], 'proxy: false, ');
      report(agent.node, 'proxied', proxy === undefined && agent.node.type === 'Property' ? { fix: insert } : {});
    };
    const checkCall = (node: AnyCall): void => {
      const module = values.moduleOf(node.callee as Node);
      const instance = calledMethod(node);
      const made = instance && values.of(instance.object);
      const isInstance = made?.kind === 'made' && made.by.name === 'axios';
      if (module?.name !== 'axios' && !isInstance) return;
      if (isInstance && isSafe(made.node)) return;
      for (const argument of node.arguments) for (const options of objectsOf(values.possible(argument))) check(options);
    };
    const isSafe = (node: AnyCall): boolean =>
      objectsOf(values.possible(node.arguments[0])).some(({ entries }) => {
        const proxy = entries.get('proxy');
        return proxy !== undefined && values.mayBe(proxy.value, false);
      });
    return {
      CallExpression: checkCall,
      AssignmentExpression(node) {
        if (node.left.type !== 'MemberExpression' || node.left.object.type === 'Super') return;
        const owner = values.of(node.left.object);
        const isDefaults =
          (owner.kind === 'module' && owner.name === 'axios') || (owner.kind === 'made' && owner.by.name === 'axios');
        if (!isDefaults || owner.path.at(-1) !== 'defaults') return;
        if (nameOf(node.left) === 'proxy' && values.mayBe(node.right, false)) defaultsAreSafe = true;
        if (nameOf(node.left) === 'httpsAgent') assigned.push(node);
      },
      'Program:exit'() {
        if (!defaultsAreSafe) for (const node of assigned) report(node, 'proxied');
      },
    };
  },
});
