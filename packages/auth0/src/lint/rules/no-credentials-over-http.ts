import type { Node } from 'estree';
import { type AnyCall, calledMethod, descendants, isFunction, nameOf, parentOf, unwrap } from '../ast.ts';
import { hostOf, isLocalHost } from '../local.ts';
import { HOLE } from '../markers.ts';
import { defineRule, type Rule } from '../rule.ts';
import { isSecretName } from '../secrets.ts';
import { objectsOf, type Value } from '../value.ts';
import type { Values } from '../values.ts';

/** Packages that send requests. */
const CLIENT =
  /^(?:http|axios|request|request-promise|request-promise-native|got|node-fetch|cross-fetch|isomorphic-fetch|undici|superagent|needle|ky|bent|phin|wretch|unirest|supertest|restler|r2|follow-redirects)$/;
/** Options with the whole address of a client, or with the part before the path. */
const URL_OPTIONS = ['url', 'uri', 'href', 'baseURL', 'baseUrl', 'prefixUrl', 'origin', 'prefix'];
/** Names of secrets in a request, besides those of settings. */
const SECRET = /(?:password|passwd|passphrase|secret|token|apikey|accesskey|authorization|credentials?)$/;
const NO_SECRET = /^(?:cancel|csrf|xsrf|page|next|continuation|abort)token$|^(?:forgot|reset)password$/;

export const noCredentialsOverHttp: Rule = defineRule({
  name: 'no-credentials-over-http',
  severity: 'error',
  description: 'A password, a key or a token is sent over http:, without TLS',
  messages: {
    plain: {
      happens:
        'This request goes over http: and carries {{what}}: anybody on the network path can read it, and can answer for the server.',
      instead: 'Call the server over https:. If its certificate is self-signed, pin it with {{certpin}}.',
    },
  },
  create({ values, script: { kind, main }, report }) {
    // The user that a create script makes, with the password
    const [first] = main?.params ?? [];
    const name =
      kind === 'database-script' && main?.params.length === 2 && first?.type === 'Identifier' ? first.name : '';
    const user = name === 'user' ? name : undefined;
    const requests: AnyCall[] = [];
    const collect = (node: AnyCall): void => {
      if (isRequest(node, values)) requests.push(node);
    };
    return {
      CallExpression: collect,
      NewExpression: collect,
      'Program:exit'() {
        const seen = new Set<Node>();
        for (const node of requests) {
          const whole = chainOf(node);
          const url = plainUrl(node, values);
          if (url === undefined || seen.has(whole)) continue;
          const what = secretIn(url) ?? secretOf(whole, values) ?? writtenLater(whole, values) ?? userIn(whole, user);
          if (what === undefined) continue;
          seen.add(whole);
          report(node, 'plain', { data: { what } });
        }
      },
    };
  },
});

/** The whole user, passed on. */
function userIn(request: Node, user: string | undefined): string | undefined {
  const isWhole = (node: Node): boolean =>
    node.type === 'Identifier' &&
    node.name === user &&
    parentOf(node)?.type !== 'MemberExpression' &&
    !isKeyOfMember(node);
  const found = user !== undefined && [...descendants(request, (child) => !isFunction(child))].some(isWhole);
  return found ? 'the password of the user' : undefined;
}

/** Whether a call sends a request: by the global fetch, by a package, or by what that package made. */
function isRequest(node: AnyCall, values: Values): boolean {
  const callee = values.of(node.callee as Node);
  if (callee.kind === 'global' && /^(?:(?:globalThis|global|window)\.)?fetch$/.test(callee.path.join('.'))) return true;
  const name = callee.kind === 'made' ? callee.by.name : values.moduleOf(node.callee as Node)?.name;
  if (name === undefined || !CLIENT.test(name)) return false;
  const path = callee.kind === 'made' || callee.kind === 'module' ? callee.path : [];
  if (name === 'http') return /^(?:request|get)$/.test(path.join('.'));
  return !/^(?:create|extend|defaults|agent|Agent|Pool|Client|jar|on|once|then|catch)$/.test(path.at(-1) ?? '');
}

/** The URL of a request, with holes, if it goes, or may go, over `http:` to another machine. */
function plainUrl(node: AnyCall, values: Values): string | undefined {
  const callee = values.of(node.callee as Node);
  const [first, second] = node.arguments;
  const given = [first, second].flatMap((argument) => values.possible(argument));
  const made = callee.kind === 'made' ? callee.by.path.at(-1) : undefined;
  // axios.create({ baseURL }), got.extend({ prefixUrl }), request.defaults({ baseUrl })
  const base =
    callee.kind === 'made' && /^(?:create|extend|defaults)$/.test(made ?? '')
      ? callee.node.arguments.flatMap((argument) => objectsOf(values.possible(argument)))
      : [];
  const urls = [first, second].flatMap((argument) => urlsOf(argument, values));
  const options = objectsOf(given);
  const fromOptions = [...options, ...base].flatMap(({ entries }) =>
    URL_OPTIONS.flatMap((name) => urlsOf(entries.get(name)?.value, values)),
  );
  const found = [...urls, ...fromOptions].find((url) => /^\s*http:\/\//i.test(url) && !isLocal(url));
  if (found !== undefined) return found;
  const isNodeHttp = callee.kind === 'module' && callee.name === 'http';
  for (const { entries, open } of options) {
    const protocol = values.of(entries.get('protocol')?.value);
    const isPlain = protocol.kind === 'text' ? protocol.text === 'http:' : isNodeHttp && !entries.has('protocol');
    if (!isPlain || open) continue;
    const hosts = ['hostname', 'host'].flatMap((name) => values.possible(entries.get(name)?.value));
    const [host = { kind: 'text', text: 'localhost' } as Value] = hosts;
    const url = `http://${host.kind === 'text' ? host.text : HOLE}/`;
    if (hosts.length > 0 && entries.size > 0 && !isLocal(url)) return url;
  }
  return undefined;
}

/** The texts that a URL may be: a text, or `new URL(path, base)`. */
function urlsOf(node: Node | undefined, values: Values): string[] {
  return values.possible(node).flatMap((value) => {
    if (value.kind === 'text')
      return value.text.startsWith(HOLE) ? beginningsOf(node, value.text, values) : [value.text];
    const made = node && urlObject(node, values);
    return made === undefined ? [] : made.arguments.flatMap((argument) => urlsOf(argument, values));
  });
}

/** A URL whose beginning a condition chooses: `(configuration.URL || 'http://…') + '/login'`. */
function beginningsOf(node: Node | undefined, text: string, values: Values): string[] {
  let head = node && unwrap(node);
  for (let steps = 0; head !== undefined && steps < 100; steps++) {
    const next = beginningOf(head, values);
    if (next === undefined) break;
    head = unwrap(next);
  }
  return values.possible(head).map((value) => (value.kind === 'text' ? value.text + text.slice(HOLE.length) : text));
}

function beginningOf(node: Node, values: Values): Node | undefined {
  if (node.type === 'BinaryExpression' && node.operator === '+') return node.left as Node;
  if (node.type === 'TemplateLiteral') return node.quasis[0]?.value.cooked === '' ? node.expressions[0] : undefined;
  const definition = node.type === 'Identifier' ? values.variable(node)?.defs[0]?.node : undefined;
  const init = definition?.type === 'VariableDeclarator' ? definition.init : undefined;
  return init && values.of(init).kind === 'text' ? init : undefined;
}

function urlObject(node: Node, values: Values): AnyCall | undefined {
  const inner = unwrap(node);
  if (inner.type === 'NewExpression') {
    const callee = values.of(inner.callee as Node);
    const isUrl =
      (callee.kind === 'global' && callee.path.join('.') === 'URL') ||
      (callee.kind === 'module' && callee.name === 'url' && callee.path.join('.') === 'URL');
    return isUrl ? inner : undefined;
  }
  if (inner.type !== 'Identifier') return undefined;
  const definition = values.variable(inner)?.defs[0]?.node;
  const init = definition?.type === 'VariableDeclarator' ? definition.init : undefined;
  return init && unwrap(init).type === 'NewExpression' ? urlObject(init, values) : undefined;
}

/** On the same machine, nobody is on the way. */
function isLocal(url: string): boolean {
  return isLocalHost(hostOf(url) ?? '');
}

/** A user and a password in the URL, or a secret in its query: `http://user:…@host`, `?api_key=…`. */
function secretIn(url: string): string | undefined {
  if (/^\s*http:\/\/[^/?#@]*:[^/?#@]+@/i.test(url)) return 'the password of the URL';
  const query = /\?([^#]*)/.exec(url)?.[1] ?? '';
  const name = query.split('&').map((pair) => pair.split('=')[0] ?? '');
  return name.find(isSecret);
}

/** The whole chain of calls around one of them: `superagent.post(…).auth(…).send(…)`. */
function chainOf(node: Node): Node {
  const member = parentOf(node);
  if (member?.type === 'ChainExpression' || member?.type.startsWith('TS')) return chainOf(member);
  if (member?.type !== 'MemberExpression' || member.object !== node) return node;
  const call = parentOf(member);
  if (call?.type !== 'CallExpression' || call.callee !== member) return node;
  // What is called with the answer is not part of the request.
  return /^(?:then|catch|finally|pipe)$/.test(nameOf(member) ?? '') ? node : chainOf(call);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_.\s]/g, '');
}

function isSecret(name: string): boolean {
  const word = plain(name);
  return !NO_SECRET.test(word) && (SECRET.test(word) || isSecretName(name) || word === 'auth');
}

/** The name of a secret in an expression, or in the values of its names. */
function secretOf(node: Node, values: Values, seen: Set<Node> = new Set()): string | undefined {
  if (seen.has(node)) return undefined;
  seen.add(node);
  const isPart = (child: Node): boolean =>
    !isFunction(child) && !(child.type === 'Property' && NO_SECRET.test(plain(nameOf(child) ?? '')));
  for (const one of descendants(node, isPart)) {
    if (one.type === 'Property' || one.type === 'MemberExpression') {
      const name = values.nameOf(one);
      const isMethod = parentOf(one)?.type === 'CallExpression' && one.type === 'MemberExpression';
      const value = one.type === 'Property' ? values.of(one.value) : undefined;
      if (name !== undefined && isSecret(name) && !(isMethod && name !== 'auth') && value?.kind !== 'constant')
        return name;
    }
    if (one.type === 'Literal' && typeof one.value === 'string' && isHeaderName(one)) return one.value;
    if (one.type !== 'Identifier' || isKeyOfMember(one)) continue;
    if (isSecret(one.name)) return one.name;
    const definition = values.variable(one)?.defs[0];
    const init = definition?.node.type === 'VariableDeclarator' ? definition.node.init : undefined;
    const found = init && !isFunction(init) ? secretOf(init, values, seen) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `.set('Authorization', …)`, `.setHeader('x-api-key', …)` */
function isHeaderName(node: Node & { type: 'Literal' }): boolean {
  const call = parentOf(node);
  return call?.type === 'CallExpression' && call.arguments[0] === node && isSecret(String(node.value));
}

function isKeyOfMember(node: Node): boolean {
  const parent = parentOf(node);
  return (
    (parent?.type === 'MemberExpression' && parent.property === node && !parent.computed) ||
    (parent?.type === 'Property' && parent.key === node && !parent.computed && !parent.shorthand)
  );
}

/** What is written to a request that a variable holds: `req.write(body)`, `req.setHeader(…)`. */
function writtenLater(request: Node, values: Values): string | undefined {
  const declarator = parentOf(request);
  if (declarator?.type !== 'VariableDeclarator' || declarator.id.type !== 'Identifier') return undefined;
  for (const { identifier } of values.variable(declarator.id)?.references ?? []) {
    const member = parentOf(identifier as Node);
    const call = member && parentOf(member);
    if (member?.type !== 'MemberExpression' || call?.type !== 'CallExpression' || call.callee !== member) continue;
    if (!/^(?:write|end|send|setHeader|set|auth|field|query|json|form)$/.test(calledMethod(call)?.name ?? '')) continue;
    const found = secretOf(call, values);
    if (found !== undefined) return found;
  }
  return undefined;
}
