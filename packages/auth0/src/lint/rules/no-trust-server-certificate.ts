import type { Node } from 'estree';
import { versionOfTemplates } from '../../platform/removed-modules.ts';
import { type AnyCall, nameOf } from '../ast.ts';
import {
  type Connection,
  connectionOf,
  encryptsByDefault,
  isSqlServer,
  majorOf,
  tlsEntry,
  tlsObjects,
} from '../clients.ts';
import { defineRule, type Rule } from '../rule.ts';
import type { Values } from '../values.ts';

const VERIFY =
  "trustServerCertificate: false, and give the server's certificate as options.cryptoCredentialsDetails.ca";

const NEWER = versionOfTemplates('tedious');

export const noTrustServerCertificate: Rule = defineRule({
  name: 'no-trust-server-certificate',
  severity: 'error',
  description: 'trustServerCertificate accepts every certificate of a SQL Server',
  messages: {
    trusts: {
      happens: 'trustServerCertificate: true accepts every certificate, that of an impostor too.',
      instead: `Pin the certificate with {{certpin}}. Or write ${VERIFY}.`,
    },
    default: {
      happens:
        '{{driver}}@{{version}} accepts every certificate, that of an impostor too, unless trustServerCertificate is false.',
      instead: `Write ${VERIFY}. Or require {{newer}}, and pin the certificate with {{certpin}}.`,
    },
    never: {
      happens:
        '{{driver}}@{{version}} accepts every certificate, that of an impostor too, and has no option to verify one.',
      instead: 'Require {{newer}}, and pin the certificate with {{certpin}}.',
    },
  },
  create({ values, report }) {
    const data = { how: 'certpin/mssql' };
    let isAssigned = false;
    const old: Connection[] = [];
    const check = (name: string | undefined, value: Node, place: Node): void => {
      if (name === 'trustServerCertificate' && values.mayBe(value, true)) report(place, 'trusts', { data });
    };
    const checkText = (node: Node): void => {
      const value = values.of(node);
      if (value.kind === 'text' && /(?:^|[;?&])\s*trust\s*server\s*certificate\s*=\s*(?:true|yes)\b/i.test(value.text))
        report(node, 'trusts', { data });
    };
    const collect = (node: AnyCall): void => {
      const connection = connectionOf(node, values);
      if (connection !== undefined && isSqlServer(connection) && trustsByDefault(connection)) old.push(connection);
    };
    return {
      Property(node) {
        check(nameOf(node), node.value, node);
      },
      AssignmentExpression(node) {
        if (node.left.type !== 'MemberExpression') return;
        isAssigned ||= nameOf(node.left) === 'trustServerCertificate';
        check(nameOf(node.left), node.right, node);
      },
      Literal: checkText,
      TemplateLiteral: checkText,
      CallExpression: collect,
      NewExpression: collect,
      'Program:exit'() {
        for (const connection of old) {
          const { driver, version = '', node } = connection;
          if (isAssigned || !leavesDefault(connection, values)) continue;
          const newer = driver === 'tedious' ? `tedious@${NEWER}` : 'mssql of version 7 or later';
          const hasOption = driver !== 'tedious' || majorOf(version) > 1;
          const place = tlsEntry(connection, values)?.node ?? node;
          report(place, hasOption ? 'default' : 'never', { data: { ...data, driver, version, newer } });
        }
      },
    };
  },
});

/** tedious trusts by default before 9, mssql before 7. */
function trustsByDefault({ driver, version }: Connection): boolean {
  return majorOf(version) < (driver === 'tedious' ? 9 : 7);
}

/** Whether a connection has TLS, all its options can be seen, and none of them says whom to trust. */
function leavesDefault(connection: Connection, values: Values): boolean {
  const { driver, version, config } = connection;
  const objects = tlsObjects(connection, values);
  const options = config?.entries.get('options');
  if (config === undefined || objects.some(({ open }) => open)) return false;
  if (options !== undefined && values.of(options.value).kind !== 'object') return false;
  const entry = tlsEntry(connection, values);
  // A connection without TLS: another rule finds that.
  const isEncrypted = entry === undefined ? encryptsByDefault(connection) : values.mayBe(entry.value, true);
  const isSaid = objects.some(({ entries }) => entries.has('trustServerCertificate'));
  return isEncrypted && (!isSaid || (driver === 'tedious' && majorOf(version) < 2));
}
