import buffer from 'node:buffer';
import crypto from 'node:crypto';
import events, { EventEmitter } from 'node:events';
import http, { Agent, ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import module from 'node:module';
import net, { Socket } from 'node:net';
import stream, { Duplex } from 'node:stream';
import tls, { TLSSocket } from 'node:tls';
import url from 'node:url';
import util from 'node:util';
import type { Key } from './keys.ts';

/**
 * What of Node a script may use, so that the use is understood: it changes nothing that the block uses, and gives nothing away through
 * which that could be changed. Whatever is not here is unclear. Adding a name is a decision: look at what it returns.
 */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Members of globals. `*`: each. The empty list: it is called, or made with `new`, and nothing else. */
const GLOBALS: Readonly<Record<string, ReadonlySet<string>>> = {
  __proto__: null as never,
  Array: words('isArray from of'),
  Buffer: words('from alloc allocUnsafe concat byteLength isBuffer compare isEncoding'),
  BigInt: words(''),
  Boolean: words(''),
  Date: words('now parse UTC'),
  Error: words('captureStackTrace'),
  Intl: words('DateTimeFormat NumberFormat Collator PluralRules ListFormat RelativeTimeFormat'),
  JSON: words('parse stringify'),
  Map: words('groupBy'),
  Math: words('*'),
  Number: words(
    'isInteger isFinite isNaN isSafeInteger parseInt parseFloat MAX_SAFE_INTEGER MIN_SAFE_INTEGER EPSILON MAX_VALUE',
  ),
  Object: words(
    'keys values entries fromEntries assign create freeze isFrozen seal is hasOwn getOwnPropertyNames defineProperty defineProperties',
  ),
  Promise: words('all allSettled any race resolve reject'),
  Response: words('json error'),
  String: words('fromCharCode fromCodePoint raw'),
  URL: words('canParse'),
  AbortSignal: words('timeout abort any'),
  Uint8Array: words('from of'),
  console: words('log info warn error debug trace dir table time timeEnd timeLog count group groupEnd assert'),
  crypto: words('randomUUID getRandomValues subtle'),
  'crypto.subtle': words('digest sign verify importKey deriveBits deriveKey encrypt decrypt'),
  module: words('exports'),
  performance: words('now'),
  process: words('env nextTick hrtime version versions uptime memoryUsage cwd pid platform arch exitCode'),
  'process.hrtime': words('bigint'),
  'process.version': words('*'),
  'process.versions': words('*'),
  'process.env': words('*'),
};

/** Globals that are called, or made with `new`. */
const CALLED = words(`
  require parseInt parseFloat isNaN isFinite encodeURIComponent decodeURIComponent encodeURI decodeURI escape unescape
  setTimeout clearTimeout setInterval clearInterval setImmediate clearImmediate queueMicrotask structuredClone btoa atob fetch
  AbortController Blob FormData Headers Request TextEncoder TextDecoder URLSearchParams WeakMap WeakSet Set RegExp
  EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError
  Uint16Array Uint32Array Int8Array Int16Array Int32Array Float32Array Float64Array ArrayBuffer DataView`);

/** Values that are no objects. */
export const CONSTANTS: ReadonlySet<string> = words('undefined NaN Infinity __filename __dirname');

/** Packages that old platforms have as globals. */
export const isLegacyPackage = (name: string): boolean => LEGACY.has(name);
const LEGACY = words(`
  _ async Auth0 azure_storage bcrypt couchbase cql ip jwt Knex mongo mysql mysql_pool ObjectID pbkdf2 pg postgres Pubnub q querystring
  request sqlserver uuid xml2js xmldom xpath xtend`);

/** What platforms hand over beside the arguments. */
export const GIVEN: ReadonlySet<string> = words('configuration auth0 exports');

/** What every script of a container shares, and no package brings. */
export const isNodeGlobal = (name: string): boolean =>
  NODE_GLOBALS.has(name) || name in GLOBALS || CALLED.has(name) || name === 'exports';
const NODE_GLOBALS = new Set([...Object.getOwnPropertyNames(globalThis), 'WebSocket', 'EventSource', 'navigator']);

/** Members of Node's modules. What is not here, `vm` and `module` above all, nobody understands from the outside. */
const MODULES: Readonly<Record<string, ReadonlySet<string>>> = {
  __proto__: null as never,
  assert: words('ok equal strictEqual deepEqual deepStrictEqual notStrictEqual'),
  buffer: words('Buffer'),
  crypto: words(`
    createHash createHmac createCipheriv createDecipheriv createCipher createDecipher createSign createVerify createPublicKey
    createPrivateKey createSecretKey getHashes getCiphers hash hkdf hkdfSync pbkdf2 pbkdf2Sync privateDecrypt privateEncrypt
    publicDecrypt publicEncrypt pseudoRandomBytes randomBytes randomFill randomFillSync randomInt randomUUID scrypt scryptSync sign
    verify timingSafeEqual constants X509Certificate generateKeyPairSync generateKeyPair getRandomValues`),
  'crypto.constants': words('*'),
  dns: words('lookup resolve resolve4 resolve6 resolveTxt resolveMx reverse'),
  events: words('EventEmitter'),
  fs: words('readFileSync readFile existsSync writeFileSync writeFile mkdirSync unlinkSync'),
  http: words('request get Agent STATUS_CODES'),
  https: words('request get Agent'),
  net: words('connect createConnection isIP isIPv4 isIPv6 Socket'),
  os: words('hostname EOL tmpdir platform'),
  path: words('join resolve basename dirname extname sep'),
  querystring: words('parse stringify escape unescape encode decode'),
  stream: words('Readable Writable PassThrough Transform'),
  string_decoder: words('StringDecoder'),
  tls: words('connect createSecureContext rootCertificates'),
  'tls.rootCertificates': words('*'),
  url: words('parse format resolve URL URLSearchParams fileURLToPath pathToFileURL'),
  util: words('promisify format inspect isArray inherits isDeepStrictEqual types TextEncoder TextDecoder'),
  'util.types': words('*'),
  zlib: words(
    'gzip gunzip gzipSync gunzipSync deflate inflate deflateSync inflateSync deflateRaw deflateRawSync inflateRawSync inflateRaw',
  ),
};

/** The modules of Node, by name. */
const NODE_MODULES = words(`
  _http_agent _http_client _http_common _http_incoming _http_outgoing _http_server _stream_duplex _stream_passthrough _stream_readable
  _stream_transform _stream_wrap _stream_writable _tls_common _tls_wrap async_hooks child_process cluster console constants
  dgram diagnostics_channel domain http2 inspector module perf_hooks process punycode readline repl sea sqlite sys test timers
  trace_events tty v8 vm wasi worker_threads`);

export function isNodeModule(name: string): boolean {
  const [root = ''] = name.split('/'); // fs/promises
  return NODE_MODULES.has(root) || root in MODULES;
}

/** Packages that write deep into what they are given, or make code of a text. */
const WRITERS = /^(?:lodash|underscore|_)$/;
const UNCLEAR_IN_WRITERS = words(`
  template runInContext mixin setWith update updateWith zipObjectDeep merge mergeWith defaultsDeep bindAll create wrap
  templateSettings prototype chain`);

/** Packages, and members of packages, that write into their first argument, after their names. */
export function writesIntoFirst(path: readonly string[]): boolean {
  return /(?:^|[^a-z])(?:set|assign(?:in)?|(?:extend|merge|default|mixin)\w*|patch|shim|stub|mock|rewire)(?:$|[^a-z])/i.test(
    path.join('.'),
  );
}

/** Methods of arrays, texts, promises and maps: called on whatever it is, they change nothing but their own object. */
export const HARMLESS_METHODS: ReadonlySet<string> = words(`
  at catch charAt concat endsWith entries every filter finally find findIndex flat flatMap forEach get has hasOwnProperty includes indexOf
  join keys lastIndexOf localeCompare map match matchAll padEnd padStart pop push reduce replace replaceAll reverse search shift slice
  some sort split startsWith substr substring test then toFixed toISOString toLocaleLowerCase toLocaleString toLocaleUpperCase
  toLowerCase toString toUpperCase trim trimEnd trimStart unshift values getTime`);

/** Methods that give a text or a number. */
export const PLAIN_METHODS: ReadonlySet<string> = words(`
  charAt endsWith getTime includes indexOf join lastIndexOf localeCompare padEnd padStart replace replaceAll startsWith substr substring
  test toFixed toISOString toLocaleLowerCase toLocaleString toLocaleUpperCase toLowerCase toString toUpperCase trim trimEnd trimStart`);

/** Functions of Node that give a text, a number or a truth value. */
const PLAIN_CALLS =
  /^(?:String|Number|Boolean|parseInt|parseFloat|isNaN|isFinite|BigInt|encodeURI(?:Component)?|decodeURI(?:Component)?|escape|unescape|btoa|atob|Date|Date\.now|Date\.UTC|Date\.parse|JSON\.stringify|Math\.\w+|Number\.\w+|Array\.isArray|String\.\w+|crypto\.randomUUID)$/;

/** Functions of Node that make an object which nobody else has. */
const FRESH_CALLS =
  /^(?:Array|Array\.(?:from|of)|Object\.(?:keys|values|entries|fromEntries|create|getOwnPropertyNames)|JSON\.parse|Map|Set|WeakMap|WeakSet|Date|URL|URLSearchParams|Error|\w+Error|structuredClone|RegExp)$/;

export const isPlainCall = (path: string): boolean => PLAIN_CALLS.test(path);
export const isFreshCall = (path: string): boolean => FRESH_CALLS.test(path);

/** `Array.prototype.slice.call`: a method that is borrowed. */
const BORROWED =
  /^(?:Object\.prototype\.(?:hasOwnProperty|toString|propertyIsEnumerable)|(?:Array|String)\.prototype\.(?:slice|concat|map|forEach|filter|join|indexOf|includes|some|every|reduce|trim))(?:\.(?:call|apply))?$|^(?:Object|Array|String|Error|Function)\.prototype$/;

/** Whether the use of a member of something of Node or of a package is understood. */
export function isUnderstood({
  isModule,
  path,
}: {
  readonly isModule: boolean;
  readonly path: readonly string[];
}): boolean {
  const [root = '', ...members] = path;
  if (isPackage(isModule, path)) return !WRITERS.test(root) || !UNCLEAR_IN_WRITERS.has(members[0] ?? '');
  // `require('url').URL` is the global of that name, and so on.
  if (isModule && members.length > 1 && (members[0] ?? '') in GLOBALS)
    return MODULES[root]?.has(members[0] ?? '') === true && isUnderstood({ isModule: false, path: members });
  if (!isModule && BORROWED.test(path.join('.'))) return true;
  const table = isModule ? MODULES : GLOBALS;
  if (members.length === 0) return isModule ? root in MODULES : root in GLOBALS || CALLED.has(root);
  const allowed = table[[root, ...members.slice(0, -1)].join('.')];
  const last = members.at(-1) ?? '';
  return allowed?.has('*') === true || allowed?.has(last) === true;
}

/** Functions of Node that may be handed to others: they keep nothing, and change nothing. */
const HANDED_OVER =
  /^(?:Boolean|String|Number|parseInt|parseFloat|encodeURIComponent|decodeURIComponent|JSON\.(?:parse|stringify)|console\.\w+|Array\.isArray|Number\.\w+|Math\.\w+|Date\.now|process\.(?:env|version|platform|pid)(?:\.\w+)?)$/;

/** Whether something of Node or of a package may be an argument, or be kept in an object. `TYPES.VarChar` of a package is a constant. */
export function mayBeHandedOver(isModule: boolean, path: readonly string[]): boolean {
  if (isPackage(isModule, path)) return path.slice(1).some((name) => /^[A-Z][A-Z\d_]+$/.test(name));
  return !isModule && HANDED_OVER.test(path.join('.'));
}

/** Whether it belongs to a package, which old platforms have as a global too. */
export function isPackage(isModule: boolean, [root = '']: readonly string[]): boolean {
  return isModule ? !isNodeModule(root) : !isNodeGlobal(root);
}

/** What a class of a script may extend. */
export function mayBeExtended(isModule: boolean, path: readonly string[]): boolean {
  return !isModule && /^\w*Error$/.test(path.join('.'));
}

/** Functions that write into their first argument. */
export const WRITING_CALLS: ReadonlySet<string> = words(`
  Object.assign Object.defineProperty Object.defineProperties Object.setPrototypeOf
  Reflect.set Reflect.defineProperty Reflect.deleteProperty Reflect.setPrototypeOf`);

/** Names of members through which everything can be reached: prototypes, `Function`, the callers of a function. */
export const REACHING: ReadonlySet<string> = words(
  '__proto__ constructor prototype __defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__ caller callee arguments',
);

/** Options that may stand beside what certpin made, as they switch nothing of it off. */
export const HARMLESS_OPTIONS: ReadonlySet<string> = words(`
  agent httpsAgent httpAgent auth baseURL body connectionLimit connectionTimeoutMillis data database family form headers host hostname
  idleTimeoutMillis json keepAlive key max maxFreeSockets maxRedirects maxSockets method min params password path pathname pool port
  protocol qs query_timeout queueLimit redirect responseType search signal statement_timeout timeout url user validateStatus
  waitForConnections api client connection`);

/**
 * Whether an object of Node's network, or of a driver, may have a member of this name. What a call gave may be such an object. Where the
 * name is none of its own, what is written there changes nothing of it.
 */
export function mayBeOfNetwork({ text, isIndex, isApart }: Key): boolean {
  if (text === undefined) return !isIndex && !isApart;
  return isInternal(text) || NETWORK.has(text);
}

/** `_events`, `_handle`: what Node's objects keep for themselves. Databases and passports have some too. */
export const isInternal = (name: string): boolean => /^_(?!(?:id|json|source|rev|doc|key)$)/.test(name);

const NETWORK = new Set([
  ...[EventEmitter, Duplex, Socket, TLSSocket, Agent, ClientRequest, IncomingMessage].flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype),
  ),
  ...Object.keys(new Socket()),
  ...Object.keys(new Agent()),
  ...words(`
    agent authorizationError authorized encrypted parser res req secureConnecting secureContext ssl stream socket connection pool
    client dispatcher httpAgent httpsAgent adapter transport transports interceptors proxy ca rejectUnauthorized checkServerIdentity lookup`),
]);
// Data has these as well, and no connection is another one for them.
for (const name of words('address options path method host protocol headers timeout url domain port'))
  NETWORK.delete(name);

/** Whether something of Node has a member of this name: a module that blocks use, a global, or the prototype of one. */
export function mayBeOfNode({ text, isIndex, isApart }: Key): boolean {
  if (text === undefined) return !isIndex && !isApart;
  nodeNames ??= new Set(
    [buffer, crypto, events, http, https, module, net, stream, tls, url, util, globalThis, process, console]
      .flatMap((owner): object[] => [owner, ...Object.values(owner).filter((member) => typeof member === 'function')])
      .concat(Object.getOwnPropertyNames(globalThis).flatMap((name) => Reflect.get(globalThis, name) ?? []))
      .flatMap((owner) => [owner, (owner as { prototype?: object }).prototype ?? {}])
      .flatMap((owner) => Object.getOwnPropertyNames(owner)),
  );
  return nodeNames.has(text);
}
let nodeNames: ReadonlySet<string> | undefined;
