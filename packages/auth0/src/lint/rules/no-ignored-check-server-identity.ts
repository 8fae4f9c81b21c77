import type { Node } from 'estree';
import type { AnyCall } from '../ast.ts';
import { connectionOf, type Driver, tlsObjects } from '../clients.ts';
import { defineRule, type Rule } from '../rule.ts';
import type { Values } from '../values.ts';

const IGNORING: ReadonlySet<Driver> = new Set(['mysql', 'mysql2', 'tedious', 'mssql']);

const IGNORED = 'The connection of {{driver}} never calls checkServerIdentity: what it should compare is not compared.';

export const noIgnoredCheckServerIdentity: Rule = defineRule({
  name: 'no-ignored-check-server-identity',
  severity: 'error',
  description: 'checkServerIdentity is given to a driver that does not call it',
  messages: {
    ignored: {
      happens: IGNORED,
      instead: "Pin the certificate with {{certpin}}, or give the server's certificate as ssl.ca.",
    },
    mssql: {
      happens: IGNORED,
      instead:
        "Pin the certificate with {{certpin}}, or give the server's certificate as options.cryptoCredentialsDetails.ca, with encrypt: true.",
    },
  },
  create({ values, report }) {
    const check = (node: AnyCall): void => {
      const connection = ignoredIn(node, values);
      const { driver = '', entries = [] } = connection ?? {};
      const isMysql = driver === 'mysql' || driver === 'mysql2';
      for (const entry of entries)
        report(entry, isMysql ? 'ignored' : 'mssql', {
          data: { driver, how: isMysql ? `certpin/${driver}` : 'certpin/mssql' },
        });
    };
    return { CallExpression: check, NewExpression: check };
  },
});

/** The properties `checkServerIdentity` that a connection ignores. */
function ignoredIn(node: AnyCall, values: Values): { driver: Driver; entries: Node[] } | undefined {
  const connection = connectionOf(node, values);
  if (connection === undefined || !IGNORING.has(connection.driver)) return undefined;
  const entries = tlsObjects(connection, values).flatMap(
    (object) => object.entries.get('checkServerIdentity')?.node ?? [],
  );
  return { driver: connection.driver, entries };
}

/** Those properties, as the listeners of a rule see them, for rules that must ignore them. They are known at the end of the program. */
export function watchIgnored(values: Values): {
  readonly ignored: ReadonlySet<Node>;
  readonly listeners: Record<'CallExpression' | 'NewExpression', (node: AnyCall) => void>;
} {
  const ignored = new Set<Node>();
  const collect = (node: AnyCall): void => {
    for (const entry of ignoredIn(node, values)?.entries ?? []) ignored.add(entry);
  };
  return { ignored, listeners: { CallExpression: collect, NewExpression: collect } };
}
