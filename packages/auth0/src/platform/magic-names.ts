/**
 * Names that Auth0 declared for every script up to Node.js 12, and no longer since Node.js 16, each with its package. Only Auth0's page on
 * Node.js 16 has `request`.
 */
const PACKAGES: Readonly<Record<string, string>> = {
  _: 'lodash',
  async: 'async',
  Auth0: 'auth0',
  azure_storage: 'azure-storage',
  bcrypt: 'bcrypt',
  couchbase: 'couchbase',
  cql: 'cql',
  crypto: 'crypto',
  ip: 'ip',
  jwt: 'jsonwebtoken',
  Knex: 'knex',
  mongo: 'mongodb',
  mysql: 'mysql',
  mysql_pool: 'mysql',
  ObjectID: 'mongodb',
  pbkdf2: 'pbkdf2',
  pg: 'pg',
  postgres: 'pg',
  Pubnub: 'pubnub',
  q: 'q',
  querystring: 'querystring',
  request: 'request',
  sqlserver: 'tedious',
  uuid: 'uuid',
  xml2js: 'xml2js',
  xmldom: 'xmldom',
  xpath: 'xpath',
  xtend: 'xtend',
};

/** The package of a name. undefined: Auth0 never declared the name. */
export function magicPackage(name: string): string | undefined {
  return Object.hasOwn(PACKAGES, name) ? PACKAGES[name] : undefined;
}
