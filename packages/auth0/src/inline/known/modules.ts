import { words } from './words.ts';

/** Members of Node's modules. Modules that are not listed, above all `vm` and `module`, cannot be understood from outside. */
export const MODULES: Readonly<Record<string, ReadonlySet<string>>> = {
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

/** `tls` for `node:tls` and for `tls`, `pg` for `pg@8.11.3`. */
export function moduleName(specifier: unknown): string {
  return String(specifier)
    .replace(/^node:/, '')
    .replace(/(?<=.)@[\w.^~-]*$/, '');
}
