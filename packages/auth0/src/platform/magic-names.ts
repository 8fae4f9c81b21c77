/**
 * Names that Auth0 declared for every script up to Node.js 12, and no longer since Node.js 16, with the package that each was.
 * `request` stands in the page on Node.js 16 only.
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

/** The package that a name was; undefined for a name that Auth0 never declared. */
export function magicPackage(name: string): string | undefined {
  return Object.hasOwn(PACKAGES, name) ? PACKAGES[name] : undefined;
}
