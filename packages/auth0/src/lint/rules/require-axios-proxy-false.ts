import type { Node, Property } from 'estree';
import { type AnyCall, calledMethod, nameOf, parentOf, unwrap } from '../ast.ts';
import { defineRule, type Fixer, type Rule } from '../rule.ts';
import { type ObjectValue, objectsOf } from '../value.ts';
import type { Values } from '../values.ts';

export const requireAxiosProxyFalse: Rule = defineRule({
  name: 'require-axios-proxy-false',
  severity: 'error',
  description: 'axios with an httpsAgent and without proxy: false',
  fixable: true,
  suggestion:
    'Write proxy: false beside httpsAgent. Look first: the request then goes to the server itself, so this agent has to verify it, and no URL and no redirect may lead to http.',
  messages: {
    proxied: {
      happens:
        'Where HTTPS_PROXY is set, or a proxy is given, axios does not use this httpsAgent as it is: the request is sent without its checks.',
      instead: 'Write proxy: false beside httpsAgent.',
    },
  },
  create({ values, report }) {
    const seen = new Set<Node>();
    let axiosIsChanged = false;
    let defaultsAreSafe = false;
    const found: { agent: Node; call: AnyCall; options: ObjectValue }[] = [];
    const assigned: Node[] = [];
    const check = (call: AnyCall, options: ObjectValue): void => {
      const agent = options.entries.get('httpsAgent');
      const proxy = options.entries.get('proxy');
      if (agent === undefined || seen.has(agent.node) || (proxy === undefined && options.open)) return;
      if (
        proxy !== undefined &&
        !values.possible(proxy.value).every((one) => one.kind !== 'constant' || one.value !== false)
      )
        return;
      seen.add(agent.node);
      if (checksNothing(agent.value, values)) return;
      found.push({ agent: agent.node, call, options });
    };
    const checkCall = (node: AnyCall): void => {
      const module = values.moduleOf(node.callee as Node);
      const instance = calledMethod(node);
      const made = instance && values.of(instance.object);
      const isInstance = made?.kind === 'made' && made.by.name === 'axios';
      if (module?.name !== 'axios' && !isInstance) return;
      if (isInstance && isSafe(made.node)) return;
      for (const argument of node.arguments)
        for (const options of objectsOf(values.possible(argument))) check(node, options);
    };
    const isSafe = (node: AnyCall): boolean =>
      objectsOf(values.possible(node.arguments[0])).some(({ entries }) => {
        const proxy = entries.get('proxy');
        return proxy !== undefined && values.mayBe(proxy.value, false);
      });
    return {
      CallExpression: checkCall,
      MemberExpression(node) {
        if (node.object.type === 'Super' || !/^(?:defaults|interceptors)$/.test(nameOf(node) ?? '')) return;
        axiosIsChanged ||= values.moduleOf(node.object)?.name === 'axios';
      },
      AssignmentExpression(node) {
        if (node.left.type !== 'MemberExpression' || node.left.object.type === 'Super') return;
        const owner = values.of(node.left.object);
        const isDefaults =
          (owner.kind === 'module' && owner.name === 'axios') || (owner.kind === 'made' && owner.by.name === 'axios');
        if (!isDefaults || owner.path.at(-1) !== 'defaults') return;
        if (nameOf(node.left) === 'proxy' && values.mayBe(node.right, false)) defaultsAreSafe = true;
        if (nameOf(node.left) === 'httpsAgent' && !checksNothing(node.right, values)) assigned.push(node);
      },
      'Program:exit'() {
        for (const { agent, call, options } of found) {
          const [start = 0] = agent.range ?? [];
          const insert = (fixer: Fixer) => fixer.replaceTextRange([start, start], 'proxy: false, ');
          if (agent.type !== 'Property' || options.entries.has('proxy')) report(agent, 'proxied');
          else if (!axiosIsChanged && isPinnedRequest(call, agent, options, values))
            report(agent, 'proxied', { fix: insert });
          else report(agent, 'proxied', { suggest: insert });
        }
        if (!defaultsAreSafe) for (const node of assigned) report(node, 'proxied');
      },
    };
  },
});

/** Functions that make agents which do only what their options say. */
const AGENT_MAKERS =
  /^(?:https|agentkeepalive|https-proxy-agent|http-proxy-agent|proxy-agent|socks-proxy-agent|hpagent|tunnel|tunnel-agent)$/;

/** The options by which an agent checks a server, or shows its own identity. */
const OF_TLS =
  /^(?:ca|cert|key|pfx|passphrase|crl|checkServerIdentity|rejectUnauthorized|servername|secureContext|minVersion|ciphers|requestTls|connect|createConnection)$/;

/** Whether an agent only keeps connections, or only leads to a proxy. A request without such an agent loses no check. */
function checksNothing(agent: Node, values: Values): boolean {
  const name = unwrap(agent);
  const uses = name.type === 'Identifier' ? (values.variable(name)?.references ?? []) : [];
  // agent.options.ca = …, agent.createConnection = …
  if (uses.some(({ identifier }) => parentOf(identifier as Node)?.type === 'MemberExpression')) return false;
  return values.possible(agent).every((one) => {
    if (one.kind === 'constant') return true;
    if (one.kind === 'module') return one.name === 'https' && one.path.join('.') === 'globalAgent';
    if (one.kind !== 'made' || one.path.length > 0 || !AGENT_MAKERS.test(one.by.name)) return false;
    return one.node.arguments.every((argument) =>
      values.possible(argument).every((given) => {
        if (given.kind === 'object') return !given.open && ![...given.entries.keys()].some((name) => OF_TLS.test(name));
        // The address of a proxy, as text or as a setting
        return given.kind === 'text' || given.kind === 'global' ? one.by.name !== 'https' : false;
      }),
    );
  });
}

/** What a request may have next to a pinned agent, and still go only to its URL. */
const HARMLESS = /^(?:httpsAgent|maxRedirects|url|method|headers|params|data|auth|timeout|responseType|signal)$/;

/**
 * Whether a request without a proxy certainly reaches only the pinned server: a single request to an `https:` URL, without redirects, by
 * certpin's agent.
 */
function isPinnedRequest(call: AnyCall, agent: Property, { open, entries }: ObjectValue, values: Values): boolean {
  const module = values.moduleOf(call.callee as Node);
  const isRequest =
    module?.name === 'axios' && /^(?:|request|get|delete|head|options|post|put|patch)$/.test(module.path.join());
  const isWrittenHere = call.arguments.some((argument) => unwrap(argument) === parentOf(agent));
  if (!isRequest || !isWrittenHere || open || ![...entries.keys()].every((name) => HARMLESS.test(name))) return false;
  const redirects = values.of(entries.get('maxRedirects')?.value);
  if (redirects.kind !== 'constant' || redirects.value !== 0) return false;
  const [first] = call.arguments;
  const url = values.of(first === undefined || unwrap(first) === parentOf(agent) ? entries.get('url')?.value : first);
  return url.kind === 'text' && /^https:\/\//.test(url.text) && isPinnedAgent(agent.value as Node, values);
}

/**
 * The agent of the installed certpin, or of its block in this script. It is made here, or kept in a constant that is only given to clients.
 */
function isPinnedAgent(node: Node, values: Values): boolean {
  const made = values.of(node);
  const isOurs =
    made.kind === 'made' &&
    made.path.length === 0 &&
    made.by.name === 'certpin/https' &&
    made.by.version === undefined &&
    made.by.path.join() === 'pinnedAgent';
  if (!isOurs || node.type !== 'Identifier') return isOurs && made.node === unwrap(node);
  const uses = values.variable(node)?.references ?? [];
  return uses.every((use) => use.isWrite() || isGiven(use.identifier as Node));
}

function isGiven(use: Node): boolean {
  const property = parentOf(use);
  return property?.type === 'Property' && property.value === use && nameOf(property) === 'httpsAgent';
}
