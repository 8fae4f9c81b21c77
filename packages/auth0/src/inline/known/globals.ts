import { words } from './words.ts';

/**
 * Globals of Node that a script may use. Using them changes nothing that the block uses. They also give no access to anything through which
 * that could be changed. Adding a name is a decision: look at what it returns.
 */

/** Members of globals. `*`: every member. The empty list: it is only called, or made with `new`. */
export const GLOBALS: Readonly<Record<string, ReadonlySet<string>>> = {
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
export const CALLED: ReadonlySet<string> = words(`
  require parseInt parseFloat isNaN isFinite encodeURIComponent decodeURIComponent encodeURI decodeURI escape unescape
  setTimeout clearTimeout setInterval clearInterval setImmediate clearImmediate queueMicrotask structuredClone btoa atob fetch
  AbortController Blob FormData Headers Request TextEncoder TextDecoder URLSearchParams WeakMap WeakSet Set RegExp
  EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError
  Uint16Array Uint32Array Int8Array Int16Array Int32Array Float32Array Float64Array ArrayBuffer DataView`);

/** Values that are not objects. */
export const CONSTANTS: ReadonlySet<string> = words('undefined NaN Infinity __filename __dirname');

/** Packages that old platforms have as globals. */
export const isLegacyPackage = (name: string): boolean => LEGACY.has(name);
const LEGACY = words(`
  _ async Auth0 azure_storage bcrypt couchbase cql ip jwt Knex mongo mysql mysql_pool ObjectID pbkdf2 pg postgres Pubnub q querystring
  request sqlserver uuid xml2js xmldom xpath xtend`);

/** What platforms pass in besides the arguments. */
export const GIVEN: ReadonlySet<string> = words('configuration auth0 exports');

/** What every script of a container shares, and what comes from no package. */
export const isNodeGlobal = (name: string): boolean =>
  NODE_GLOBALS.has(name) || name in GLOBALS || CALLED.has(name) || name === 'exports';
const NODE_GLOBALS = new Set([...Object.getOwnPropertyNames(globalThis), 'WebSocket', 'EventSource', 'navigator']);
