import type { Identifier, Node } from 'estree';
import { magicPackage } from '../../platform/magic-names.ts';
import { isRemovedModule, isRemovedVersion, MODULE_LIST, versionOfTemplates } from '../../platform/removed-modules.ts';
import { type AnyCall, isFunction, unwrap } from '../ast.ts';
import { majorOf } from '../clients.ts';
import { packageNameOf } from '../modules.ts';
import { defineRule, type Rule } from '../rule.ts';
import type { Value } from '../value.ts';

/** The members of the `crypto` that Node.js itself declares. */
const WEB_CRYPTO = /^(?:subtle|getRandomValues|randomUUID)$/;

export const noDeadModules: Rule = defineRule({
  name: 'no-dead-modules',
  severity: 'error',
  description: "A module, a version or a global name that Auth0's runtimes no longer have",
  messages: {
    version: {
      happens: 'Auth0 removed {{name}}@{{version}} with Node.js 18: require fails with "Cannot find module".',
      instead: `Require a version that ${MODULE_LIST} lists for your runtime.`,
    },
    tedious: {
      happens:
        'Auth0 removed {{name}}@{{version}} with Node.js 18: require fails with "Cannot find module".{{unpinnable}}',
      instead:
        "Write require('tedious@{{next}}'), which Auth0's own template requires, with authentication: { type: 'default', options: { userName, password } }, and connection.connect(). Pin the certificate with {{certpin}}.",
    },
    mongodb: {
      happens: 'Auth0 removed {{name}}@{{version}} with Node.js 18: require fails with "Cannot find module".',
      instead:
        "Write require('mongodb@{{next}}'), which Auth0's own template requires. It calls no callbacks: await its promises. Pin the certificate with {{certpin}}.",
    },
    module: {
      happens: 'Auth0 no longer has {{name}} in any version: require fails with "Cannot find module".',
      instead: 'Move this work behind an API of your own, and pin the certificate of that API.',
    },
    global: {
      happens: 'Auth0 no longer declares {{name}} since Node.js 16: this line throws a ReferenceError.',
      instead: "Write const {{name}} = require('{{module}}') first.",
    },
    api: {
      happens: '{{name}} does not exist in the versions that Auth0 has: this line throws.',
      instead: 'Write {{replacement}}.',
    },
    callback: {
      happens: 'mongodb@{{version}} calls no callbacks: this function never runs, and the script does not answer.',
      instead: 'Write await client.connect() in an async function, and answer in a catch too.',
    },
  },
  create({ values, script, report }) {
    const hadMagic = script.kind === 'database-script' || script.kind === 'rule';
    const reported = new Set<string>();
    const checkName = (node: Node, member: string | undefined): void => {
      const name = unwrap(node);
      if (!hadMagic || name.type !== 'Identifier' || !isMagic(name, member) || reported.has(name.name)) return;
      reported.add(name.name);
      const module = magicPackage(name.name) ?? name.name;
      const next = versionOfTemplates(module);
      report(name, 'global', { data: { name: name.name, module: next === undefined ? module : `${module}@${next}` } });
    };
    const isMagic = (node: Identifier, member: string | undefined): boolean =>
      magicPackage(node.name) !== undefined &&
      values.variable(node) === undefined &&
      !(node.name === 'crypto' && WEB_CRYPTO.test(member ?? ''));
    const checkCall = (node: AnyCall): void => {
      const callee = node.callee as Node;
      checkName(callee, undefined);
      checkModule(node, values.of(node));
      const called = values.of(callee);
      checkCallback(node, called);
      if (called.kind !== 'module' || script.kind === 'other') return;
      const path = called.path.join('.');
      const major = Number(called.version?.split('.')[0] ?? Number.POSITIVE_INFINITY);
      if (called.name === 'pg' && path === 'connect' && major >= 7)
        report(callee, 'api', { data: { name: 'pg.connect', replacement: 'new Pool(…), and pool.query(…)' } });
      if (called.name === 'mysql' && path === '')
        report(callee, 'api', { data: { name: 'mysql(…)', replacement: 'mysql.createConnection(…)' } });
    };
    const checkCallback = ({ arguments: given }: AnyCall, called: Value): void => {
      const { name, version, path } = called.kind === 'made' ? called.by : called.kind === 'module' ? called : {};
      const isConnect =
        called.kind === 'made' ? called.path.join('.') === 'connect' : path?.join('.') === 'MongoClient.connect';
      const last = given.at(-1);
      if (name === 'mongodb' && version !== undefined && majorOf(version) >= 5 && isConnect && isFunction(last))
        report(last, 'callback', { data: { version } });
    };
    const checkModule = (node: Node, value: Value): void => {
      if (value.kind !== 'module' || value.path.length > 0) return;
      const { version } = value;
      const name = packageNameOf(value);
      if (isRemovedModule(name)) {
        if (script.kind !== 'other') report(node, 'module', { data: { name } });
      } else if (version !== undefined && isRemovedVersion(name, version)) {
        const next = versionOfTemplates(name);
        const id = next === undefined ? 'version' : name === 'tedious' ? 'tedious' : 'mongodb';
        // tedious 1 verifies no certificate, and does not show it to anybody.
        const unpinnable = majorOf(version) < 2 ? ' No pin is possible with it.' : '';
        const how = id === 'version' ? {} : { how: id === 'tedious' ? 'certpin/mssql' : 'certpin/mongodb' };
        report(node, id, { data: { name, version, next: next ?? '', unpinnable, ...how } });
      }
    };
    return {
      CallExpression: checkCall,
      NewExpression: checkCall,
      ImportExpression(node) {
        checkModule(node, values.of(node));
      },
      ImportDeclaration({ source }) {
        checkModule(source, values.ofModule(source));
      },
      MemberExpression({ object, property }) {
        checkName(object, property.type === 'Identifier' ? property.name : undefined);
      },
    };
  },
});
