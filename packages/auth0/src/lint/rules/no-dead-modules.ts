import type { Identifier, Node } from 'estree';
import { type AnyCall, unwrap } from '../ast.ts';
import { defineRule, type Rule } from '../rule.ts';

/** Versions that Auth0 took away with Node.js 18: one, or all from the first to the second. */
const REMOVED: Readonly<Record<string, readonly (string | readonly [string, string])[]>> = {
  axios: [['0.15.2', '0.27.2']],
  bcrypt: ['4.0.0'],
  got: [['0', '11.5.2']],
  ibm_db: ['2.6.4'],
  ldapjs: ['1.0.0'],
  mongodb: [['2.0.27', '2.2.11'], '3.1.4', '3.5.11', '3.6.10', '4.1.0'],
  mongoose: ['4.1.6'],
  mysql: ['2.0.0', '2.6.2', '2.7.0', '2.15.0'],
  mysql2: ['1.5.3'],
  oracledb: [['0', '99']],
  pg: ['4.1.1', '4.3.0', '4.5.7', '6.1.2', '7.17.1'],
  redis: ['0.12.1'],
  request: [['2.27.0', '2.83.0'], '2.88.0'],
  superagent: [['0', '4.1.0']],
  tedious: ['0.1.4', '1.11.0', '6.6.2', '8.3.1', '9.2.1'],
};

/** Names that Auth0 declared for every script, up to Node.js 12. */
const MAGIC: ReadonlySet<string> = new Set(
  'request pg postgres mysql mysql_pool mongo ObjectID sqlserver cql couchbase Knex bcrypt crypto pbkdf2 jwt _ async q uuid xtend querystring ip xmldom xml2js xpath azure_storage Pubnub Auth0'.split(
    ' ',
  ),
);

/** What the `crypto` that Node.js itself declares can do. */
const WEB_CRYPTO = /^(?:subtle|getRandomValues|randomUUID)$/;

export const noDeadModules: Rule = defineRule({
  name: 'no-dead-modules',
  severity: 'error',
  description: "A module, a version or a global name that Auth0's runtimes no longer have",
  messages: {
    version: {
      happens: 'Auth0 removed {{name}}@{{version}} with Node.js 18: require fails with "Cannot find module".',
      instead: 'Require a version that https://auth0-extensions.github.io/canirequire lists for your runtime.',
    },
    module: {
      happens: 'Auth0 no longer has {{name}}: require fails with "Cannot find module".',
      instead: 'Reach the database through an API, and pin its certificate.',
    },
    global: {
      happens: 'Auth0 no longer declares {{name}} since Node.js 16: this line throws a ReferenceError.',
      instead: "Write const {{name}} = require('{{module}}') first.",
    },
    api: {
      happens: '{{name}} does not exist in the versions that Auth0 has: this line throws.',
      instead: 'Write {{replacement}}.',
    },
  },
  create({ values, script, report }) {
    const hadMagic = script.kind === 'database-script' || script.kind === 'rule';
    const reported = new Set<string>();
    const checkName = (node: Node, member: string | undefined): void => {
      const name = unwrap(node);
      if (!hadMagic || name.type !== 'Identifier' || !isMagic(name, member) || reported.has(name.name)) return;
      reported.add(name.name);
      report(name, 'global', { data: { name: name.name, module: PACKAGES[name.name] ?? name.name } });
    };
    const isMagic = (node: Identifier, member: string | undefined): boolean =>
      MAGIC.has(node.name) &&
      values.variable(node) === undefined &&
      !(node.name === 'crypto' && WEB_CRYPTO.test(member ?? ''));
    const checkCall = (node: AnyCall): void => {
      const callee = node.callee as Node;
      checkName(callee, undefined);
      const made = values.of(node);
      if (made.kind === 'module') checkModule(node, made.name, made.version);
      const called = values.of(callee);
      if (called.kind !== 'module' || script.kind === 'other') return;
      const path = called.path.join('.');
      const major = Number(called.version?.split('.')[0] ?? Number.POSITIVE_INFINITY);
      if (called.name === 'pg' && path === 'connect' && major >= 7)
        report(callee, 'api', { data: { name: 'pg.connect', replacement: 'new Pool(…), and pool.query(…)' } });
      if (called.name === 'mysql' && path === '')
        report(callee, 'api', { data: { name: 'mysql(…)', replacement: 'mysql.createConnection(…)' } });
    };
    const checkModule = (node: Node, name: string, version: string | undefined): void => {
      if (name === 'oracledb' && script.kind !== 'other') report(node, 'module', { data: { name } });
      else if (version !== undefined && isRemoved(name, version)) report(node, 'version', { data: { name, version } });
    };
    return {
      CallExpression: checkCall,
      NewExpression: checkCall,
      MemberExpression({ object, property }) {
        checkName(object, property.type === 'Identifier' ? property.name : undefined);
      },
    };
  },
});

/** Where the name of the package is another one. */
const PACKAGES: Readonly<Record<string, string>> = {
  Knex: 'knex',
  ObjectID: 'mongodb',
  _: 'lodash',
  azure_storage: 'azure-storage',
  jwt: 'jsonwebtoken',
  mongo: 'mongodb',
  mysql_pool: 'mysql',
  postgres: 'pg',
  Pubnub: 'pubnub',
  Auth0: 'auth0',
  sqlserver: 'tedious',
};

function isRemoved(name: string, version: string): boolean {
  const given = numbers(version);
  if (!/^\d+(?:\.\d+){0,2}(?:-[\w.]+)?$/.test(version)) return false;
  return (Object.hasOwn(REMOVED, name) ? (REMOVED[name] ?? []) : []).some((range) => {
    const [from, to] = typeof range === 'string' ? [range, range] : range;
    return compare(given, numbers(from)) >= 0 && compare(given, numbers(to)) <= 0;
  });
}

function numbers(version: string): number[] {
  return version.split('-')[0]?.split('.').map(Number) ?? [];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const index of [0, 1, 2]) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
