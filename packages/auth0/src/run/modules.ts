import type { LoadedModule, Remark } from './result.ts';
import type { ScriptKind } from './roles.ts';

/** Module versions that node18 and node22 no longer have (Auth0's page on the migration from Node 16 to Node 18); `a-b` is a range. */
const removed: Readonly<Record<string, readonly string[]>> = {
  pg: ['4.1.1', '4.3.0', '4.5.7', '6.1.2', '7.17.1'],
  mysql: ['2.0.0', '2.6.2', '2.7.0', '2.15.0'],
  mysql2: ['1.5.3'],
  mongodb: ['2.0.27-2.2.11', '3.1.4', '3.5.11', '3.6.10', '4.1.0'],
  mongoose: ['4.1.6'],
  tedious: ['0.1.4', '1.11.0', '6.6.2', '8.3.1', '9.2.1'],
  axios: ['0.15.2-0.27.2'],
  request: ['2.27.0-2.83.999', '2.88.0'],
  got: ['0.0.0-11.5.2'],
  superagent: ['0.0.0-4.1.0'],
  ldapjs: ['1.0.0'],
  ibm_db: ['2.6.4'],
  redis: ['0.12.1'],
  bcrypt: ['4.0.0'],
  oracledb: ['0.0.0-999.0.0'],
};

/** What was in every script's scope until Node 12. */
const magic: readonly string[] = [
  ...['request', 'pg', 'postgres', 'mysql', 'mysql_pool', 'mongo', 'ObjectID', 'sqlserver', 'cql', 'couchbase', 'Knex'],
  ...['bcrypt', 'crypto', 'pbkdf2', 'jwt', '_', 'async', 'q', 'uuid', 'xtend', 'querystring', 'ip', 'xmldom', 'xml2js'],
  ...['xpath', 'azure_storage', 'Pubnub', 'Auth0'],
];

/** What may go differently on the platform, for each module that the script loaded. */
export function judgeModule(kind: ScriptKind, { request, name, wanted, version }: LoadedModule): Remark[] {
  if (version === null) {
    const install = `npm install ${wanted === null ? name : `${name}@${wanted}`}`;
    return [
      {
        code: 'module-missing',
        message: `${request} is not installed beside the script, nor in the working folder: ${install}`,
      },
    ];
  }
  const remarks: Remark[] = [];
  if (kind === 'action' && wanted !== null) {
    const message = `an Action requires ${name} without a version; its dependencies fix the version`;
    remarks.push({ code: 'module-versioned', message });
  }
  if (wanted !== null && wanted !== version) {
    const message = `the script asks for ${request}; it ran with ${name} ${version}, which is what is installed here`;
    remarks.push({ code: 'module-version', message });
  }
  if (kind !== 'action' && wanted !== null && (removed[name] ?? []).some((range) => isIn(range, wanted))) {
    remarks.push({ code: 'module-removed', message: `the platform has removed ${request} from node18 and node22` });
  }
  return remarks;
}

function isIn(range: string, version: string): boolean {
  const [first = '', last = first] = range.split('-');
  return compare(first, version) <= 0 && compare(version, last) <= 0;
}

/** By major, minor and patch; what follows them is left out. */
function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[.-]/).map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What to do about a name that was a global once; undefined where it never was one. */
export function adviseOnGlobal(message: string): string | undefined {
  const name = /^(\w+) is not defined$/.exec(message)?.[1];
  if (name === undefined || !magic.includes(name)) return undefined;
  return `${name} is not a global since Node 16: the script has to require its module`;
}
