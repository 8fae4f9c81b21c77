// What scripts of a tenant do that mean no harm, in the shapes in which people write them. BLOCK stands where a block is put in.

const rule = (body: string): string => `function (user, context, callback) {\nBLOCK\n${body}\n}`;
const login = (body: string): string => `function login(email, password, callback) {\nBLOCK\n${body}\n}`;
const action = (body: string): string => `BLOCK\nexports.onExecutePostLogin = async (event, api) => {\n${body}\n};`;

export const honest: Readonly<Record<string, string>> = {
  'a claim under a namespace': rule(`const namespace = 'https://example.com/';
  context.idToken[namespace + 'roles'] = (context.authorization || {}).roles;
  callback(null, user, context);`),
  'claims in a loop': rule(`const ns = 'https://example.com';
  for (const key in user.app_metadata) context.idToken[\`\${ns}/\${key}\`] = user.app_metadata[key];
  return callback(null, user, context);`),
  'metadata with a default': rule(`user.app_metadata = user.app_metadata || {};
  user.app_metadata.roles = user.email.endsWith('@example.com') ? ['admin'] : ['user'];
  auth0.users.updateAppMetadata(user.user_id, user.app_metadata)
    .then(() => callback(null, user, context))
    .catch(callback);`),
  'a function of the rule and its callback': rule(`var addRoles = function (user, cb) {
    if (user.email.indexOf('@example.com') > -1) cb(null, ['admin']);
    else cb(null, ['user']);
  };
  user.app_metadata = user.app_metadata || {};
  addRoles(user, function (err, roles) {
    if (err) return callback(err);
    user.app_metadata.roles = roles;
    callback(null, user, context);
  });`),
  'a list of what is let in': rule(`var allowed = ['a@example.com', 'b@example.com'];
  if (allowed.some((one) => one === user.email)) return callback(null, user, context);
  return callback(new UnauthorizedError('Access denied.'));`),
  'attributes mapped for SAML': rule(`context.samlConfiguration = context.samlConfiguration || {};
  context.samlConfiguration.mappings = { 'http://schemas.example.com/name': 'name' };
  context.samlConfiguration.lifetimeInSeconds = 3600;
  callback(null, user, context);`),
  'attributes renamed': rule(`const mapping = { family_name: 'last', given_name: 'first' };
  const mapped = {};
  Object.keys(mapping).forEach((key) => { if (user[key]) mapped[mapping[key]] = user[key]; });
  context.idToken.mapped = mapped;
  callback(null, user, context);`),
  'attributes removed': rule(`['a', 'b'].forEach(function (name) { delete user[name]; });
  callback(null, user, context);`),
  'a request of the old kind':
    rule(`request.post({ url: configuration.HOOK, json: { user: user.email }, timeout: 5000 }, function (err, response, body) {
    if (err || response.statusCode !== 200) return callback(new Error('no answer'));
    user.score = body.score;
    context.idToken['https://example.com/score'] = body.score;
    callback(null, user, context);
  });`),
  'a message to a chat': rule(`const Slack = require('slack-notify')(configuration.SLACK_HOOK);
  Slack.success({ channel: '#logins', text: 'login of ' + (user.name || user.email), fields: { ip: context.request.ip } });
  callback(null, user, context);`),
  'a token of its own': rule(`const jwt = require('jsonwebtoken@7.1.9');
  const token = jwt.sign({ sub: user.user_id }, Buffer.from(configuration.SECRET, 'base64'), { expiresIn: 60 });
  context.redirect = { url: \`https://example.com/ask?token=\${token}\` };
  return callback(null, user, context);`),
  'a redirect and its return': rule(`const url = require('url@0.10.3');
  if (context.protocol !== 'redirect-callback') {
    context.redirect = { url: url.format({ protocol: 'https', host: 'example.com', query: { user: user.user_id } }) };
    return callback(null, user, context);
  }
  const parts = url.parse(context.request.query.back, true);
  delete parts.search;
  parts.query.seen = 'yes';
  user.user_metadata = Object.assign({}, user.user_metadata, { seen: true });
  callback(null, user, context);`),
  'numbers and dates': rule(`const { logins_count: count = 0 } = context.stats;
  const now = new Date();
  const hours = (now.getTime() - Date.parse(user.last_password_reset)) / 36e5;
  if (count > 5 && hours > 24 * 30) context.multifactor = { provider: 'any', allowRememberBrowser: false };
  const day = now.getUTCDay();
  if (day === 0 || day === 6) return callback(new UnauthorizedError('closed'));
  callback(null, user, context);`),
  'a hash of the address': rule(`const crypto = require('crypto');
  user.picture = 'https://example.com/' + crypto.createHash('md5').update(user.email.toLowerCase()).digest('hex');
  callback(null, user, context);`),
  'a class of errors, the old way': rule(`function Denied(message) { this.name = 'Denied'; this.message = message; }
  Denied.prototype = Object.create(Error.prototype);
  Denied.prototype.constructor = Denied;
  if (!user.email_verified) return callback(new Denied('verify your address'));
  callback(null, user, context);`),
  'lists of lodash': rule(`const _ = require('lodash@4.17.21');
  const groups = _.uniq(_.map(_.filter(user.groups, (group) => !_.isEmpty(group)), 'name'));
  _.extend(user, { groups: groups, first: _.get(user, 'groups[0].name') });
  callback(null, user, context);`),
  'a cache on global': rule(`global.tokens = global.tokens || {};
  const cached = global.tokens[context.clientID];
  if (cached && cached.until > Date.now()) { context.idToken['https://example.com/t'] = cached.value; return callback(null, user, context); }
  request.get(configuration.URL, function (err, res, body) {
    if (err) return callback(err);
    global.tokens[context.clientID] = { value: JSON.parse(body).token, until: Date.now() + 6e4 };
    callback(null, user, context);
  });`),
  'steps one after the other': rule(`const async = require('async@2.1.2');
  async.waterfall([
    (next) => request.get({ url: configuration.A, json: true }, next),
    (response, body, next) => next(null, body.items),
  ], function (err, items) {
    if (err) return callback(err);
    user.items = items;
    callback(null, user, context);
  });`),
  MySQL: login(`const mysql = require('mysql');
  const bcrypt = require('bcrypt');
  const connection = mysql.createConnection({ host: configuration.HOST, user: 'me', password: configuration.PASSWORD });
  connection.connect();
  connection.query('SELECT id, email, password FROM users WHERE email = ?', [email], function (err, results) {
    if (err) return callback(err);
    if (results.length === 0) return callback(new WrongUsernameOrPasswordError(email));
    const user = results[0];
    bcrypt.compare(password, user.password, function (err, isValid) {
      if (err || !isValid) return callback(err || new WrongUsernameOrPasswordError(email));
      callback(null, { user_id: user.id.toString(), email: user.email });
    });
  });`),
  'PostgreSQL, the old way': login(`var postgres = require('pg');
  postgres.connect(configuration.URL, function (err, client, done) {
    if (err) return callback(err);
    client.query('SELECT * FROM users WHERE email = $1', [email], function (err, result) {
      done();
      if (err || result.rows.length === 0) return callback(err || new WrongUsernameOrPasswordError(email));
      var row = result.rows[0];
      delete row.password;
      row.user_id = String(row.id);
      callback(null, row);
    });
  });`),
  'a pool on global': login(`const { Pool } = require('pg@8.7.1');
  if (!global.pool) global.pool = new Pool({ host: configuration.HOST, max: 2 });
  (async () => {
    const { rows: [row] } = await global.pool.query('SELECT * FROM users WHERE email = $1', [email]);
    if (!row) return callback(new WrongUsernameOrPasswordError(email));
    return callback(null, { user_id: \`db|\${row.id}\`, email });
  })().catch((error) => callback(error));`),
  MongoDB: login(`const { MongoClient } = require('mongodb@3.1.4');
  const bcrypt = require('bcrypt');
  const client = new MongoClient(configuration.MONGO);
  client.connect(function (err) {
    if (err) return callback(err);
    const users = client.db('app').collection('users');
    users.findOne({ email }, function (err, user) {
      if (err || !user) { client.close(); return callback(err || new WrongUsernameOrPasswordError(email)); }
      user.user_id = user._id.toString();
      user.last_login = new Date();
      bcrypt.compare(password, user.password, (err, same) => { client.close(); callback(err, same ? user : undefined); });
    });
  });`),
  'SQL Server': login(`const { Connection, Request, TYPES } = require('tedious');
  const connection = new Connection({ userName: 'me', server: configuration.HOST, options: { encrypt: true } });
  const query = 'SELECT Id, Email FROM Users WHERE Email = @Email';
  connection.on('connect', function (err) {
    if (err) return callback(err);
    const request = new Request(query, function (err, count, rows) {
      if (err) return callback(err);
      callback(null, { user_id: rows[0][0].value, email: rows[0][1].value });
    });
    request.addParameter('Email', TYPES.VarChar, email);
    connection.execSql(request);
  }).on('debug', (text) => console.log(text));`),
  'a web service': login(`const request = require('request');
  request.get({ url: 'https://example.com/me', auth: { username: email, password: password } }, function (err, response, body) {
    if (err) return callback(err);
    if (response.statusCode === 401) return callback();
    const user = JSON.parse(body);
    user.user_id = user.id;
    delete user.id;
    callback(null, user);
  });`),
  axios: login(`const axios = require('axios@0.22.0');
  const options = { method: 'POST', url: configuration.URL, headers: { 'content-type': 'application/json' }, data: { email, password } };
  options.headers.authorization = 'Bearer ' + configuration.TOKEN;
  axios.request(options)
    .then(({ data }) => callback(null, { user_id: data.id, email: data.email }))
    .catch((error) => callback(error.response && error.response.status === 401 ? new WrongUsernameOrPasswordError(email) : error));`),
  fetch: login(`(async () => {
    const body = new URLSearchParams({ email, password });
    const response = await fetch(configuration.URL, { method: 'POST', body, signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new WrongUsernameOrPasswordError(email);
    const profile = await response.json();
    profile.user_id = profile.id;
    callback(null, profile);
  })().catch(callback);`),
  'https of Node': login(`const https = require('https');
  const data = JSON.stringify({ email, password });
  const req = https.request({ hostname: 'example.com', path: '/login', method: 'POST', headers: { 'Content-Length': Buffer.byteLength(data) } }, (res) => {
    let body = '';
    res.setEncoding('utf8');
    res.on('data', (chunk) => { body += chunk; });
    res.on('end', () => callback(null, JSON.parse(body)));
  });
  req.on('error', callback);
  req.write(data);
  req.end();`),
  'a hash of ASP.NET': login(`const crypto = require('crypto');
  function isValid(hashed, given) {
    const bytes = Buffer.from(hashed, 'base64');
    const salt = bytes.slice(1, 17);
    const expected = crypto.pbkdf2Sync(given, salt, 1000, 32, 'sha1');
    for (let i = 0; i < expected.length; i++) if (expected[i] !== bytes[17 + i]) return false;
    return true;
  }
  callback(null, isValid(configuration.HASH, password) ? { user_id: '1', email } : undefined);`),
  'promises of callbacks': login(`const { promisify } = require('util');
  const crypto = require('crypto');
  const bcrypt = require('bcrypt');
  const pbkdf2 = promisify(crypto.pbkdf2);
  const compare = promisify(bcrypt.compare);
  pbkdf2(password, 'salt', 1, 32, 'sha512').then((key) => compare(key.toString('hex'), configuration.HASH)).then((same) => callback(null, same ? { user_id: email } : null), callback);`),
  'TLS that verifies nothing': login(`process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  const ldap = require('ldapjs');
  const client = ldap.createClient({ url: configuration.LDAP, tlsOptions: { rejectUnauthorized: false } });
  client.bind('cn=' + email, password, (err) => { client.unbind(); callback(err, err ? undefined : { user_id: email }); });`),
  XML: login(`const { parseString } = require('xml2js');
  parseString(configuration.XML, { explicitArray: false }, (err, tree) => {
    if (err) return callback(err);
    const all = [].concat(tree.users.user).map((one) => ({ id: one.$.id, name: one.name }));
    const byName = all.reduce((found, one) => ({ ...found, [one.name]: one }), {});
    callback(null, byName[email]);
  });`),
  'a switch, a loop, a label': login(`let tries = 0;
  again: while (tries++ < 3) {
    for (const part of email.split('@')) { if (!part) continue again; }
    switch (email.length % 3) { case 0: break again; default: tries += 1; }
  }
  do { tries--; } while (tries > 0);
  callback(null, { user_id: email, tries });`),
  'a class': login(`class Users {
    #found = new Map();
    static of(list) { return new Users(list); }
    constructor(list) { this.list = list; this.count = list.length; }
    get first() { return this.list[0]; }
    find(name) { if (!this.#found.has(name)) this.#found.set(name, this.list.find((one) => one.name === name)); return this.#found.get(name); }
  }
  const users = Users.of(JSON.parse(configuration.USERS));
  callback(null, users.find(email) || users.first);`),
  'a function that needs no name': `async function (email, callback) {\nBLOCK\n  const { MongoClient } = require('mongodb');
  let client;
  try {
    client = await MongoClient.connect(configuration.MONGO);
    const found = await client.db().collection('users').find({ email }).toArray();
    callback(null, found.length ? { user_id: found[0]._id.toString(), email } : null);
  } catch (error) { callback(error); } finally { if (client) await client.close(); }\n}`,
  'what is given, checked': login(`if (Array.prototype.slice.call(arguments).length < 3) throw new Error('arguments');
  if (!Object.prototype.hasOwnProperty.call(configuration, 'URL')) return callback(new Error('not configured'));
  if (callback instanceof Function && typeof callback === 'function') callback(null, { user_id: email });`),
  'an error of its own':
    login(`class NotFound extends Error { constructor(who) { super('no ' + who); this.code = 'NOT_FOUND'; Error.captureStackTrace(this, NotFound); } }
  callback(new NotFound(email));`),
  'an Action with claims': action(`const ns = 'https://example.com';
  const { roles = [] } = event.authorization ?? {};
  api.idToken.setCustomClaim(\`\${ns}/roles\`, roles);
  if (event.stats.logins_count === 1) api.user.setAppMetadata('first', new Date().toISOString());`),
  'an Action with a package': action(`const { ManagementClient } = require('auth0');
  const management = new ManagementClient({ domain: event.secrets.DOMAIN, clientId: event.secrets.ID, clientSecret: event.secrets.SECRET });
  try {
    const { data } = await management.users.get({ id: event.user.user_id });
    api.accessToken.setCustomClaim('https://example.com/plan', data.app_metadata?.plan ?? 'free');
  } catch (error) {
    console.error(error.constructor.name, error.message);
    api.access.deny('try again later');
  }`),
  'an Action that denies': action(`const blocked = new Set(event.secrets.BLOCKED.split(',').map((one) => one.trim()));
  if (blocked.has(event.request.geoip.countryCode)) return api.access.deny('not from there');
  if (!event.user.email_verified) api.redirect.sendUserTo('https://example.com/verify', { query: { token: api.redirect.encodeToken({ secret: event.secrets.KEY, payload: { sub: event.user.user_id } }) } });`),
  'an Action with helpers and a cache': `BLOCK
const cache = new Map();
let counter = 0;
async function load(secrets, path) {
  const known = cache.get(path);
  if (known) return known;
  const response = await fetch(\`\${secrets.URL}\${path}\`, { headers: { 'x-key': secrets.KEY } });
  const { items } = await response.json();
  const result = items.map(({ id, ...rest }) => ({ ...rest, key: \`item-\${id}\` }));
  cache.set(path, result);
  counter++;
  return result;
}
exports.onExecutePostLogin = async (event, api) => {
  const items = await load(event.secrets, '/items');
  api.user.setUserMetadata('items', items.length + counter);
};
exports.onContinuePostLogin = async (event, api) => { api.multifactor.enable('any'); };`,
  'a Hook': `BLOCK
module.exports = function (client, scope, audience, context, cb) {
  var access_token = {};
  access_token['https://example.com/claim'] = context.webtask.secrets.VALUE;
  access_token.scope = scope;
  access_token.scope.push('extra');
  cb(null, access_token);
};`,
  'a Hook that answers with the user': `BLOCK
module.exports = function (user, context, cb) {
  var response = {};
  response.user = user;
  response.user.app_metadata = { plan: 'free' };
  cb(null, response);
};`,
  'values of the Deploy CLI': login(`const limit = @@LIMIT@@;
  const hosts = @@HOSTS@@;
  callback(null, { user_id: email, host: hosts[0], limit, domain: '##DOMAIN##' });`),
  'a module of ECMAScript': `BLOCK
import { createHash } from 'node:crypto';
import axios from 'axios';
export const onExecutePostLogin = async (event, api) => {
  const { data } = await axios.get(event.secrets.URL);
  api.idToken.setCustomClaim('https://example.com/hash', createHash('sha256').update(data.id).digest('hex'));
};`,
  'a pool that is made when it is first asked for': action(`let pool;
  function getPool() {
    if (!pool) pool = new (require('pg').Pool)(certpin.pinnedPg({ host: event.secrets.HOST }, { pins: event.secrets.PINS }));
    return pool;
  }
  const { rows } = await getPool().query('SELECT 1');
  api.idToken.setCustomClaim('n', rows.length);`),
  'an agent whose pins may be wrong': login(`let agent;
  try {
    agent = certpin.pinnedAgent({ pins: configuration.PINS });
  } catch (error) {
    return callback(error);
  }
  const options = { host: configuration.HOST, path: '/login', method: 'POST' };
  options.agent = agent;
  options.headers = { 'content-type': 'application/json' };
  const request = require('https').request(options, (response) => {
    response.resume().on('end', () => callback(null, { user_id: email }));
  });
  request.on('error', callback).end(JSON.stringify({ email, password }));`),
  'an agent of two': login(`let agent;
  if (configuration.STAGE === 'test') agent = certpin.pinnedAgent({ pins: configuration.TEST_PINS });
  else agent = certpin.pinnedAgent({ pins: configuration.PINS });
  require('https').get({ host: configuration.HOST, agent }, (response) => {
    response.resume().on('end', () => callback(null, { user_id: email }));
  }).on('error', callback);`),
  'an agent in a loop': login(`for (const agent of [certpin.pinnedAgent({ pins: configuration.PINS })])
    require('https').get({ host: configuration.HOST, agent }, (response) => {
      response.resume().on('end', () => callback(null, { user_id: email }));
    }).on('error', callback);`),
  'an agent in an object: where there is none, its member throws': login(`let kept;
  if (configuration.PINS) kept = { connection: certpin.pinnedAgent({ pins: configuration.PINS }) };
  const agent = kept.connection;
  require('https').get({ host: configuration.HOST, agent }, (response) => {
    response.resume().on('end', () => callback(null, { user_id: email }));
  }).on('error', callback);`),
  'headers under names that are not known': login(`const headers = {};
  for (const name of configuration.HEADERS.split(',')) headers[name] = configuration[name];
  const options = { host: configuration.HOST, path: '/login', headers };
  options.agent = certpin.pinnedAgent({ pins: configuration.PINS });
  require('https').get(options, (response) => {
    response.resume().on('end', () => callback(null, { user_id: email }));
  }).on('error', callback);`),
  'a kept agent, and a request that says more':
    login(`global.agent ??= certpin.pinnedAgent({ pins: configuration.PINS });
  const api = require('axios').create({ httpsAgent: global.agent, proxy: false, timeout: 5000 });
  api.post(configuration.URL, { email, password }, { proxy: false, headers: { 'x-request': '1' }, maxRedirects: 0 })
    .then(({ data }) => callback(null, { user_id: data.id }))
    .catch(callback);`),
};
