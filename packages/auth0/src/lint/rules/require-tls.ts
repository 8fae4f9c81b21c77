import { type AnyCall, nameOf } from '../ast.ts';
import { type Connection, connectionOf, tlsEntry } from '../clients.ts';
import { HOLE } from '../markers.ts';
import { defineRule, type Rule } from '../rule.ts';
import type { Values } from '../values.ts';

export const requireTls: Rule = defineRule({
  name: 'require-tls',
  severity: 'error',
  description: 'A connection to a database without TLS',
  messages: {
    none: {
      happens:
        'This connection to the database has no TLS: its password and every password that it reads or checks can be read on the way.',
      instead: 'Pin the certificate with {{certpin}}, or verify it: {{option}}.',
    },
    off: {
      happens:
        '{{setting}} switches TLS off: the password of the database and every password that it reads or checks can be read on the way.',
      instead: 'Pin the certificate with {{certpin}}, or verify it: {{option}}.',
    },
  },
  create({ values, script, report }) {
    let pgDefaults = false;
    const candidates: Connection[] = [];
    const collect = (node: AnyCall): void => {
      const connection = connectionOf(node, values);
      if (connection !== undefined) candidates.push(connection);
    };
    return {
      CallExpression: collect,
      NewExpression: collect,
      AssignmentExpression({ left }) {
        if (left.type !== 'MemberExpression' || left.object.type === 'Super' || nameOf(left) !== 'ssl') return;
        const owner = values.of(left.object);
        pgDefaults ||= owner.kind === 'module' && owner.name === 'pg' && owner.path.join('.') === 'defaults';
      },
      'Program:exit'() {
        for (const connection of candidates) {
          const { driver, node, config } = connection;
          const data = { ...remedies[driver], setting: '' };
          // certpin's own way in: a stream that makes TLS itself
          const isPinned =
            config?.entries.has('stream') || config?.entries.has('socket') || config?.entries.has('connector');
          if (isPinned || (driver === 'pg' && pgDefaults) || (script.kind === 'other' && isLocal(connection, values)))
            continue;
          const entry = tlsEntry(connection, values);
          if (entry !== undefined && values.possible(entry.value).every((one) => one.kind === 'constant' && !one.value))
            report(entry.node, 'off', { data: { ...data, setting: `${nameOf(entry.node) ?? 'ssl'}: false` } });
          else if (entry === undefined && hasNone(connection)) report(node, 'none', { data });
        }
      },
    };
  },
});

const remedies: Readonly<Record<Connection['driver'], { how: string; option: string }>> = {
  pg: { how: 'certpin/pg', option: 'ssl: { ca }' },
  postgres: { how: 'certpin/postgres', option: 'ssl: { ca }' },
  mysql: { how: 'certpin/mysql', option: 'ssl: { ca }' },
  mysql2: { how: 'certpin/mysql2', option: 'ssl: { ca, verifyIdentity: true }' },
  mariadb: { how: 'certpin/mariadb', option: 'ssl: { ca }' },
  tedious: { how: 'a pinned proxy before it', option: 'options: { encrypt: true, cryptoCredentialsDetails: { ca } }' },
  mssql: { how: 'a pinned proxy before it', option: 'options: { encrypt: true, cryptoCredentialsDetails: { ca } }' },
  mongodb: { how: 'a pinned proxy before it', option: 'tls: true, ca' },
};

/** Whether a connection that says nothing about TLS, in no place that could, has none. */
function hasNone({ driver, version, config, url, complete }: Connection): boolean {
  if (driver === 'tedious') return complete && Number(version?.split('.')[0] ?? Number.POSITIVE_INFINITY) < 7;
  if (driver === 'mssql') return /(?:^|[;?&])\s*encrypt\s*=\s*(?:false|no|optional)\b/i.test(url ?? '');
  const addressed =
    url !== undefined || ['host', 'server', 'socketPath', 'user'].some((key) => config?.entries.has(key));
  if (!addressed || (config?.open ?? false)) return false;
  if (url === undefined) return complete;
  if (driver === 'mongodb' && /^mongodb\+srv:/i.test(url)) return false;
  // Whatever the hole is, it may bring its own parameters; in the place of a password or a host it cannot.
  const query = /\?([^#]*)/.exec(url)?.[1];
  const mayHaveMore = query === undefined ? url.endsWith(HOLE) : query.includes(HOLE);
  return !mayHaveMore && !/(?:^|&)(?:ssl|tls|ssl-?mode|sslaccept)\w*=/i.test(query ?? '');
}

/** On the same machine there is nobody on the way. A script of Auth0 never runs on the machine of the database. */
function isLocal({ config, url }: Connection, values: Values): boolean {
  if (config?.entries.has('socketPath')) return true;
  const host = values.of(config?.entries.get('host')?.value ?? config?.entries.get('server')?.value);
  const name = host.kind === 'text' ? host.text : /^[\w+]+:\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/?]*)/.exec(url ?? '')?.[1];
  return name !== undefined && /^(?:localhost|127(?:\.\d+){3}|::1|\[::1\]|\/.*)$/.test(name);
}
