import type { Node } from 'estree';
import { nameOf, parentOf } from '../ast.ts';
import { HOLE } from '../markers.ts';
import { defineRule, type Rule } from '../rule.ts';

const PASSWORD = /^(?:password|passwd|pwd|pass|passphrase|(?:api|secret|access)_?key|(?:client)?_?secret|x-api-key)$/i;
/** What stands beside a password that opens something. */
const BESIDE =
  /^(?:host|hostname|server|user|username|user_name|database|db|port|login|url|uri|baseURL|client_?id|key|cert|pfx)$/i;
const URL_WITH_PASSWORD = /^\s*[a-z][\w+.-]*:\/\/[^\s/:@]*:([^\s/@]+)@/i;
const SETTING_WITH_PASSWORD = /(?:^|;)\s*(?:password|pwd)\s*=\s*([^;\s]+)/i;
/** Nobody's password: a place to fill in. */
const BLANK = /^(?:<.*>|\[.*\]|\{.*\}|[*xX.]{3,}|your[-_ ].*|.*_here)$/i;

export const noHardcodedCredentials: Rule = defineRule({
  name: 'no-hardcoded-credentials',
  severity: 'error',
  description: 'A password, a key or a connection string with a password is written into the script',
  messages: {
    password: {
      happens:
        '{{name}} is written into the script: whoever may read the script, its repository or its backups has it.',
      instead: '{{place}}',
    },
    url: {
      happens:
        'A connection string with a password is written into the script: whoever may read the script, its repository or its backups has it.',
      instead: '{{place}}',
    },
    privateKey: {
      happens:
        'A private key is written into the script: whoever may read the script, its repository or its backups has it.',
      instead: '{{place}}',
    },
  },
  create({ values, script, report }) {
    const place =
      script.kind === 'action'
        ? 'Keep it in the secrets of the Action: event.secrets.'
        : script.kind === 'other'
          ? 'Read it from the environment, or from a store of secrets.'
          : 'Keep it in the settings of the connection: configuration.';
    const data = { place };
    const seen = new Set<Node>();
    const isWritten = (node: Node): boolean => {
      const value = values.of(node);
      if (value.kind !== 'text' || seen.has(node)) return false;
      const text = value.text.replace(/^(?:Bearer|Basic)\s+/i, '');
      return text.trim() !== '' && !text.includes(HOLE) && !BLANK.test(text.trim());
    };
    const checkEntry = (name: string | undefined, value: Node, place: Node): void => {
      if (name !== undefined && PASSWORD.test(name) && isWritten(value))
        report(place, 'password', { data: { ...data, name } });
      else if (/^authorization$/i.test(name ?? '') && isWritten(value) && /^(?:Bearer|Basic)\s/i.test(textOf(value)))
        report(place, 'password', { data: { ...data, name: name ?? '' } });
    };
    const checkText = (node: Node): void => {
      const text = textOf(node);
      const parent = parentOf(node);
      if (parent?.type === 'TemplateLiteral' || (parent?.type === 'BinaryExpression' && parent.operator === '+'))
        return;
      if (/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*[\w+/]/.test(text)) report(node, 'privateKey', { data });
      const password = (URL_WITH_PASSWORD.exec(text) ??
        (/(?:server|data source)\s*=/i.test(text) ? SETTING_WITH_PASSWORD.exec(text) : null))?.[1];
      if (password !== undefined && !password.includes(HOLE) && !BLANK.test(password)) report(node, 'url', { data });
    };
    const textOf = (node: Node): string => {
      const value = values.of(node);
      return value.kind === 'text' ? value.text : '';
    };
    return {
      Property(node) {
        const object = parentOf(node);
        if (object?.type !== 'ObjectExpression') return;
        const others = object.properties.flatMap((property) =>
          property === node ? [] : [property.type === 'SpreadElement' ? '' : (nameOf(property) ?? '')],
        );
        const isHeader = /^(?:x-api-key|authorization)$/i.test(nameOf(node) ?? '');
        if (isHeader || others.some((name) => BESIDE.test(name))) checkEntry(nameOf(node), node.value, node);
      },
      AssignmentExpression(node) {
        // config.password = '…', and not user.password = '' of a form
        if (
          node.left.type === 'MemberExpression' &&
          /^(?:config|options|settings|connection)/i.test(ownerOf(node.left))
        )
          checkEntry(nameOf(node.left), node.right, node);
      },
      Literal: checkText,
      TemplateLiteral: checkText,
      BinaryExpression: checkText,
    };
  },
});

function ownerOf({ object }: { object: Node }): string {
  return object.type === 'Identifier' ? object.name : (nameOf(object) ?? '');
}
