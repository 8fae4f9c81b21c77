import type { Node } from 'estree';
import { type AnyCall, nameOf } from '../ast.ts';
import { type Connection, connectionOf } from '../clients.ts';
import { isLocal, isPinned, plaintextOf } from '../plaintext/connections.ts';
import { isInsecureChannel } from '../plaintext/grpc.ts';
import { type LdapCall, ldapCallOf } from '../plaintext/ldap.ts';
import type { Within } from '../plaintext/plaintext.ts';
import { remedies } from '../plaintext/remedies.ts';
import { defineRule, type Rule } from '../rule.ts';
import type { Entry, ObjectValue, Value } from '../value.ts';

const INSTEAD = 'Pin the certificate with {{certpin}}, or verify it: {{option}}.';

export const requireTls: Rule = defineRule({
  name: 'require-tls',
  severity: 'error',
  description: 'A connection to a database, a directory or another service without TLS',
  messages: {
    none: {
      happens: 'This connection to {{server}} has no TLS: its password and {{what}} can be read on the way.',
      instead: INSTEAD,
    },
    off: {
      happens: '{{setting}} switches TLS off: the password of {{server}} and {{what}} can be read on the way.',
      instead: INSTEAD,
    },
    late: {
      happens: 'bind sends the password before startTLS makes TLS: it can be read on the way.',
      instead:
        'Call startTLS first, and wait for it. Or pin the certificate with {{certpin}}, which lets no bind go before.',
    },
    offered: {
      happens:
        'TLS is made only if the server offers it: whoever stands on the way removes the offer, and reads the password and the mails.',
      instead: 'Add {{option}}. If the certificate is self-signed, pin it with {{certpin}}.',
    },
    sentinels: {
      happens:
        'The sentinels are asked without TLS: their password can be read on the way, and whoever answers in their place names the server.',
      instead: 'Add {{option}}, or pin the certificates with {{certpin}}.',
    },
    channel: {
      happens:
        'createInsecure() makes a channel without TLS: what is sent and answered can be read and changed on the way.',
      instead: 'Pin the certificate with {{certpin}}, or verify it: {{option}}.',
    },
  },
  create({ values, script, report }) {
    let pgDefaults = false;
    const candidates: Connection[] = [];
    const channels: AnyCall[] = [];
    const ldapCalls: LdapCall[] = [];
    const within: WithinEntry[] = [];
    const collect = (node: AnyCall): void => {
      const connection = connectionOf(node, values);
      if (connection !== undefined) candidates.push(connection);
      else if (isInsecureChannel(node, values)) channels.push(node);
      const ldapCall = ldapCallOf(node);
      if (ldapCall !== undefined) ldapCalls.push(ldapCall);
    };
    return {
      CallExpression: collect,
      NewExpression: collect,
      AssignmentExpression(node) {
        const { left, right } = node;
        if (left.type !== 'MemberExpression' || left.object.type === 'Super') return;
        const name = nameOf(left);
        if (name !== undefined) within.push({ name, object: left.object, entry: { node, value: right } });
        if (name !== 'ssl') return;
        const owner = values.of(left.object);
        pgDefaults ||= owner.kind === 'module' && owner.name === 'pg' && owner.path.join('.') === 'defaults';
      },
      'Program:exit'() {
        const assigned: Within = (object, name) =>
          within.filter((one) => one.name === name && isSame(values.of(one.object), object)).at(-1)?.entry;
        for (const connection of candidates) {
          if (isPinned(connection, values) || (connection.driver === 'pg' && pgDefaults)) continue;
          const { driver } = connection;
          const found = plaintextOf(connection, { values, assigned, ldapCalls });
          if (found === undefined) continue;
          if (script.kind === 'other' && (found.isLocal ?? isLocal(connection, values))) continue;
          const remedy = remedies[found.id === 'sentinels' ? 'sentinels' : driver];
          report(found.node, found.id, { data: { ...remedy, setting: found.setting ?? '' } });
        }
        for (const channel of channels) report(channel, 'channel', { data: { ...remedies.grpc } });
      },
    };
  },
});

/** An assignment to a member of an object that is itself a member: `config.options.encrypt = …` */
interface WithinEntry {
  readonly name: string;
  readonly object: Node;
  readonly entry: Entry;
}

function isSame(value: Value, object: ObjectValue): boolean {
  return value.kind === 'object' && value.node === object.node;
}
