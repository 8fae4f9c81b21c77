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
      instead: "Give the server's certificate as options.cryptoCredentialsDetails.ca, with encrypt: true.",
    },
  },
  create({ values, report }) {
    const check = (node: AnyCall): void => {
      const connection = ignoredIn(node, values);
      const { driver = '', entries = [] } = connection ?? {};
      const isMysql = driver === 'mysql' || driver === 'mysql2';
      for (const entry of entries)
        report(entry, isMysql ? 'ignored' : 'mssql', {
          data: { driver, ...(isMysql ? { how: `certpin/${driver}` } : {}) },
        });
    };
    return { CallExpression: check, NewExpression: check };
  },
});

/** The properties `checkServerIdentity` that a connection does not look at. */
export function ignoredIn(node: AnyCall, values: Values): { driver: Driver; entries: Node[] } | undefined {
  const connection = connectionOf(node, values);
  if (connection === undefined || !IGNORING.has(connection.driver)) return undefined;
  const entries = tlsObjects(connection, values).flatMap(
    (object) => object.entries.get('checkServerIdentity')?.node ?? [],
  );
  return { driver: connection.driver, entries };
}
