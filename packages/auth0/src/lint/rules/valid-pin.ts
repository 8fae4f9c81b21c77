import type { Node } from 'estree';
import { nameOf, unwrap } from '../ast.ts';
import { HOLE } from '../markers.ts';
import { defineRule, type Rule } from '../rule.ts';

/** Names of variables that are compared with a certificate's hash. */
const PIN_NAME =
  /(?:^|_)(?:pins?|PINS?)(?:$|_|[A-Z\d])|[a-z]Pins?(?:$|[A-Z_\d])|[Pp]inned|PINNED|[Ff]ingerprint|FINGERPRINT|[Tt]humbprint|THUMBPRINT/;
const OTHER_HASH = /sha[_-]?(?:1(?!\d)|384|512)|print512|md5/i;

export const validPin: Rule = defineRule({
  name: 'valid-pin',
  severity: 'error',
  description: 'A pin that cannot be the SHA-256 of anything',
  messages: {
    hex: {
      happens: 'This pin has {{digits}} hex digits{{what}}, and a SHA-256 has 64: no certificate matches it.',
      instead: 'Write the 64 hex digits that `certpin get server.crt` prints on the server itself.',
    },
    base64: {
      happens: 'This pin stands for {{bytes}} bytes, and a SHA-256 has 32: no certificate matches it.',
      instead: 'Write sha256/ and the 44 characters of base64 that `certpin get server.crt` prints.',
    },
  },
  create({ values, report }) {
    const seen = new Set<Node>();
    const check = (name: string | undefined, value: Node | null | undefined): void => {
      if (!value || name === undefined || !PIN_NAME.test(name)) return;
      for (const text of texts(value)) checkText(text, name);
    };
    const texts = (node: Node): Node[] => {
      const value = unwrap(node);
      if (value.type === 'ArrayExpression') return value.elements.flatMap((one) => (one === null ? [] : texts(one)));
      return value.type === 'Literal' || value.type === 'TemplateLiteral' ? [value] : [];
    };
    const checkText = (node: Node, name: string): void => {
      const value = values.of(node);
      if (seen.has(node) || value.kind !== 'text' || value.text.includes(HOLE)) return;
      seen.add(node);
      for (const text of value.text.split(/[,;\n]/)) {
        const digits = hexDigits(text.trim());
        if (digits !== undefined && digits !== 64 && !(OTHER_HASH.test(name) || OTHER_HASH.test(text)))
          report(node, 'hex', { data: { digits: String(digits), what: digits === 40 ? ', as a SHA-1' : '' } });
        const bytes = base64Bytes(text.trim());
        if (digits === undefined && bytes !== undefined && bytes !== 32)
          report(node, 'base64', { data: { bytes: String(bytes) } });
      }
    };
    return {
      VariableDeclarator({ id, init }) {
        if (id.type === 'Identifier') check(id.name, init);
      },
      Property(node) {
        check(nameOf(node), node.value);
      },
      AssignmentExpression({ left, right }) {
        check(
          left.type === 'Identifier' ? left.name : left.type === 'MemberExpression' ? nameOf(left) : undefined,
          right,
        );
      },
      AssignmentPattern({ left, right }) {
        if (left.type === 'Identifier') check(left.name, right);
      },
      BinaryExpression({ operator, left, right }) {
        if (!/^[!=]==?$/.test(operator)) return;
        for (const [one, other] of [
          [left, right],
          [right, left],
        ] as const)
          check(one.type === 'Identifier' ? one.name : nameOf(one as Node), other as Node);
      },
    };
  },
});

/** How many hex digits a text has that looks like a hash in hex. undefined: it does not look like one. */
function hexDigits(text: string): number | undefined {
  const hex = text.replace(/^sha-?256(?:\s*fingerprint)?\s*[=:/]\s*/i, '');
  if (!/^[\da-f]{2}(?:[: ]?[\da-f])*$/i.test(hex)) return undefined;
  const digits = hex.replace(/[^\da-f]/gi, '').length;
  return digits >= 24 && /\d/.test(hex) ? digits : undefined;
}

/** How many bytes a text stands for that looks like a hash in base64. */
function base64Bytes(text: string): number | undefined {
  const [, prefix, base64 = ''] = /^(sha256\/{1,2})?([\w+/-]+={0,2})$/.exec(text) ?? [];
  if (base64 === '' || (prefix === undefined && !/^[\w+/-]{24,}=+$/.test(base64))) return undefined;
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4);
}
