// Scripts with an unmodified block whose surroundings defeat it, or try to: one of each kind. Whoever finds another kind adds it here.
import { inlineBlock } from '../../src/inline/index.ts';

export interface Tampering {
  /** Statements before the block. */
  readonly before?: string;
  /** Statements behind it. */
  readonly after?: string;
  /** What stands behind the call of `https.request`. */
  readonly on?: string;
  /** The options of the request; PORT becomes the impostor's port. */
  readonly request?: string;
  /** The pins that certpin is given; IMPOSTOR becomes the impostor's fingerprint. */
  readonly pins?: string;
  /** The statement that makes the agent. */
  readonly agent?: string;
  /** The whole script, made of its block. */
  readonly whole?: (block: string) => string;
}

const block = inlineBlock('https').text.replace(/^(?=.)/gm, '  ');
const OPTIONS = "host: 'localhost', port: PORT, path: '/?' + password";
const E = 'timingSafeEqual = () => true';
/** Any pin matches any certificate. */
const F = 'filter = function () { return [this[0]]; }';
const unverified = `{ ${OPTIONS}, rejectUnauthorized: false }`;
const LOOSE_OPTIONS = "{ host: 'localhost', port: PORT, rejectUnauthorized: false }";
/** Whoever connects without the agent connects to anybody. */
const LOOSE = "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';";

export function scriptOf(tampering: Tampering): string {
  const { before = '', after = '', on = '', whole } = tampering;
  const { pins = `'${'A'.repeat(64)}'`, request = `{ ${OPTIONS}, agent }` } = tampering;
  const { agent = `const agent = certpin.pinnedAgent({ pins: ${pins} });` } = tampering;
  if (whole !== undefined) return whole(block);
  return `function login(email, password, callback) {
  ${before}
${block}
  ${agent}
  ${after}
  require('https').request(${request}, (res) => { res.resume(); callback(null, res.statusCode); }).on('error', callback)${on}.end();
}`;
}

const before = (text: string): Tampering => ({ before: text });

/** The agent comes out of a function of the script, which is also given one that verifies nothing. */
const wrapped = (body: string): Tampering => ({
  agent: `const loose = new (require('https').Agent)({ rejectUnauthorized: false });
  function pinned(...all) { ${body} }
  const agent = pinned(loose, { pins: '${'A'.repeat(64)}' });`,
});

export const tamperings: Readonly<Record<string, Tampering>> = {
  // How a module is reached.
  'a module, directly': before(`require('crypto').${E};`),
  'an object literal': before(`const mods = { crypto: require('crypto') }; mods.crypto.${E};`),
  'an array literal': before(`const [c] = [require('crypto')]; c.${E};`),
  'the result of a function': before(`const lib = () => require('crypto'); lib().${E};`),
  'the result of a declared function': before(`function lib() { return require('crypto'); } lib().${E};`),
  'a default of a parameter': before(`(function (c = require('crypto')) { c.${E}; })();`),
  'a default of a pattern': before(`const { c = require('crypto') } = {}; c.${E};`),
  'an argument': before(`(function (c) { c.${E}; })(require('crypto'));`),
  'an argument of a declared function': before(`function patch(c) { c.${E}; } patch(require('crypto'));`),
  'a rest parameter': before(`(function (...all) { all[0].${E}; })(require('crypto'));`),
  'the arguments without a name': before(`function patch() { arguments[0].${E}; } patch(require('crypto'));`),
  'a spread argument': before(`function patch(c) { c.${E}; } patch(...[require('crypto')]);`),
  'for-of': before(`for (const c of [require('crypto')]) c.${E};`),
  'for-of over a member': before(`const o = {}; for (o.c of [require('crypto')]) o.c.${E};`),
  'a callback of an array': before(`[require('crypto')].forEach((c) => { c.${E}; });`),
  'a generator': before(
    `outer: for (const c of (function* () { yield require('crypto'); })()) { c.${E}; break outer; }`,
  ),
  'an iterator of its own': before(
    `const it = { [Symbol.iterator]: function* () { yield require('crypto'); } }; for (const c of it) c.${E};`,
  ),
  'a tagged template': before(`((s, c) => { c.${E}; })\`\${require('crypto')}\`;`),
  'a getter': before(`const o = { get c() { return require('crypto'); } }; o.c.${E};`),
  'a setter': before(`const o = { set c(c) { c.${E}; } }; o.c = require('crypto');`),
  'a Map': before(`new Map([['c', require('crypto')]]).get('c').${E};`),
  'a class': before(`class K { static c = require('crypto'); } K.c.${E};`),
  'a private field': before(`class K { #c = require('crypto'); run() { this.#c.${E}; } } new K().run();`),
  'a static block': before(`class K { static { this.c = require('crypto'); this.c.${E}; } }`),
  'a constructor function': before(`function K(c) { this.c = c; } new K(require('crypto')).c.${E};`),
  'a thrown thing': before(`try { throw require('crypto'); } catch (c) { c.${E}; }`),
  'a promise': before(`Promise.resolve(require('crypto')).then((c) => { c.${E}; });`),
  'a thenable': before(`(async () => { (await { then(r) { r(require('crypto')); } }).${E}; })();`),
  'a timer': before(`setTimeout((c) => { c.${E}; }, 0, require('crypto'));`),
  'the next tick': before(`process.nextTick((c) => { c.${E}; }, require('crypto'));`),
  'import()': before(`import('crypto').then((c) => { c.default.${E}; });`),
  'import(), awaited': before(`(async () => { (await import('crypto')).default.${E}; })();`),
  'a comma': before(`(0, require('crypto')).${E};`),
  'a condition': before(`(email ? require('crypto') : {}).${E};`),
  'an optional call': before(`const c = require?.('crypto'); c.${E};`),
  'a loop of aliases': before(`let a, b; for (let i = 0; i < 3; i++) { if (b) b.${E}; b = a; a = require('crypto'); }`),
  'a global of the script': before(`global.c = require('crypto'); c.${E};`),
  'an assignment without a declaration': before(`c = require('crypto'); c.${E};`),
  'Object.values': before(`Object.values({ c: require('crypto') })[0].${E};`),
  'Object.assign to a copy': before(`Object.assign({}, { c: require('crypto') }).c.${E};`),
  'an export': before(`module.exports = require('crypto'); module.exports.${E};`),
  'a name made of pieces': before(`require(['cry', 'pto'].join('')).${E};`),
  'a name added up': before(`require('cry' + 'pto').${E};`),
  'a member under a made name': before(`require('crypto')[['timing', 'SafeEqual'].join('')] = () => true;`),
  // How `require` is reached.
  '(0, require)': before(`(0, require)('crypto').${E};`),
  'require under another name': before(`const r = require; r('crypto').${E};`),
  'require in an object': before(`const o = { r: require }; o.r('crypto').${E};`),
  'require.call': before(`require.call(null, 'crypto').${E};`),
  'require.bind': before(`require.bind(null)('crypto').${E};`),
  'Reflect.apply of require': before(`Reflect.apply(require, null, ['crypto']).${E};`),
  'module.require': before(`module.require('crypto').${E};`),
  'module.constructor': before(`module.constructor._load('crypto').${E};`),
  'require("module")': before(`require('module')._load('crypto').${E};`),
  createRequire: before(`require('module').createRequire(__filename)('crypto').${E};`),
  'process.getBuiltinModule': before(`process.getBuiltinModule('crypto').${E};`),
  'getBuiltinModule through global': before(`global['pro' + 'cess'].getBuiltinModule('crypto').${E};`),
  'getBuiltinModule through a module': before(`require('process').getBuiltinModule('crypto').${E};`),
  'process.mainModule': before(`process.mainModule.require('crypto').${E};`),
  'require.main': before(`require.main.require('crypto').${E};`),
  'require.cache': before(`for (const key in require.cache) require.cache[key].require('crypto').${E};`),
  'process.binding': before(`process.binding('natives').x = 1;`),
  // Prototypes.
  'Array.prototype': before(`Array.prototype.${F};`),
  'its own array, __proto__': before(`[].__proto__.${F};`),
  'its own array, constructor': before(`[].constructor.prototype.${F};`),
  'Object.getPrototypeOf': before(`Object.getPrototypeOf([]).${F};`),
  'Reflect.getPrototypeOf': before(`Reflect.getPrototypeOf([]).${F};`),
  '__proto__ added up': before(`[]['__pro' + 'to__'].${F};`),
  '__proto__ made of pieces': before(`[][['__pro', 'to__'].join('')].${F};`),
  '__proto__ from the outside': before(
    `const k = String(Buffer.from('X19wcm90b19f', 'base64')); const p = [][k]; p.${F};`,
  ),
  '__proto__ kept in between': before(`const o = { p: [][['__pro', 'to__'].join('')] }; o.p.${F};`),
  '__proto__ through a parameter': before(`((a, k) => { a[k].${F}; })([], ['__pro', 'to__'].join(''));`),
  'Object.assign to a prototype': before(`Object.assign([][['__pro', 'to__'].join('')], { ${F.replace(' =', ':')} });`),
  'Object.defineProperty': before(
    `Object.defineProperty([][['__pro', 'to__'].join('')], 'filter', { value() { return [this[0]]; } });`,
  ),
  'Object.defineProperty under another name': before(
    `const { defineProperty: d } = Object; d(Array.prototype, 'filter', { value() { return [this[0]]; } });`,
  ),
  __defineGetter__: before(`require('crypto').__defineGetter__('timingSafeEqual', () => () => true);`),
  '__defineGetter__, borrowed': before(
    `Object.prototype.__defineGetter__.call(require('crypto'), 'timingSafeEqual', () => () => true);`,
  ),
  'Reflect.set': before(`Reflect.set(require('crypto'), 'timingSafeEqual', () => true);`),
  'a Proxy': before(`new Proxy(require('crypto'), {}).${E};`),
  'a subclass of Array': before(`class A extends Array {} Object.getPrototypeOf(A.prototype).${F};`),
  'super in a method': before(`({ m() { super.filter; }, __proto__: Array.prototype }).__proto__.${F};`),
  'Symbol.species': before(`Object.defineProperty(Array, Symbol.species, { get: () => class extends Array {} });`),
  'a reviver': before(
    `JSON.parse('[[1]]', function (k, v) { if (Array.isArray(v)) v[['__pro', 'to__'].join('')].${F}; return v; });`,
  ),
  'a reviver and its this': before(`JSON.parse('[1]', function () { this[['__pro', 'to__'].join('')].${F}; });`),
  'a JSON text': before(`Object.assign(JSON.parse('{"__proto__":{}}').__proto__, {});`),
  'the callee': before(`(function () { arguments.callee.constructor('c', 'c.${E}')(require('crypto')); })();`),
  'Error.prepareStackTrace': before(`Error.prepareStackTrace = (e, sites) => { sites[0].getFunction; return ''; };`),
  // Text as code.
  eval: before(`eval("require('crypto').${E}");`),
  'eval under another name': before(`(0, eval)("process.getBuiltinModule('crypto').${E}");`),
  Function: before(`new Function('c', 'c.${E}')(require('crypto'));`),
  'the constructor of a function': before(`(() => {}).constructor('r', "r('crypto').${E}")(require);`),
  'the constructor under a made name': before(
    `(() => {})[['const', 'ructor'].join('')]('r', "r('crypto').${E}")(require);`,
  ),
  vm: before(`require('vm').runInThisContext("process.getBuiltinModule('crypto').${E}");`),
  'a module of text': before(`const M = module.constructor; new M('x')._compile("require('crypto').${E}", 'x');`),
  with: before(`with (require('crypto')) { timingSafeEqual = () => true; }`),
  'a template of lodash': before(`const _ = email.x || require('util'); if (email.x) _.template(password)();`),
  // What the block takes from outside.
  'a parameter called Buffer': { whole: () => scriptOf({}).replace('email', 'Buffer') },
  'a hoisted function': { after: `function Symbol() { return ''; } Symbol.for = () => 'x';` },
  'var Object': { after: `var Object = { freeze: (x) => x };` },
  'a class called Error': { before: `class Set {}` },
  'an import in its place': before(`const Buffer = { from: () => '' };`),
  'Buffer.from': before(`Buffer.from = () => Object.create(null);`),
  'globalThis.Buffer': before(`globalThis.Buffer = { from: () => require('crypto').randomBytes(1) };`),
  'this.Buffer': before(`this.Buffer = { from: () => '' };`),
  'a global under a made name': before(`global[['Buf', 'fer'].join('')] = { from: () => '' };`),
  'a global in a loop': before(`for (globalThis.Buffer of [{ from: () => '' }]);`),
  'a global, destructured': before(`({ x: global.Buffer } = { x: { from: () => '' } });`),
  'the emitter': before(`require('events').prototype.emit = function () { return true; };`),
  'the sockets': before(`require('tls').TLSSocket.prototype.getPeerCertificate = () => ({ raw: Buffer.alloc(1) });`),
  'tls.connect': before(
    `const t = require('tls'); const c = t.connect; t.connect = (o) => { const s = c(o); s.getPeerCertificate = () => ({}); return s; };`,
  ),
  'call of a shared function': before(`[].filter.call = () => [];`),
  'a function of Node, marked': before(`const e = new (require('events').EventEmitter)(); e.emit.call = () => true;`),
  // certpin, and what it made.
  'a second certpin': {
    whole: (text) => `function login(email, password, callback) {
  {
${text}  }
  const certpin = { pinnedAgent: () => undefined };
  require('https').request({ ${OPTIONS}, rejectUnauthorized: false, agent: certpin.pinnedAgent() }, (res) => callback(null, res.statusCode)).on('error', callback).end();
}`,
  },
  'the block where it is not reached': {
    whole: (text) => `function login(email, password, callback) {
  if (false) {
${text}  }
  global.certpin = { pinnedAgent: () => undefined };
  require('https').request({ ${OPTIONS}, rejectUnauthorized: false, agent: certpin.pinnedAgent() }, (res) => callback(null, res.statusCode)).on('error', callback).end();
}`,
  },
  'a function of certpin replaced': {
    agent: 'certpin.pinnedAgent = () => undefined; const agent = certpin.pinnedAgent();',
    request: `{ ${OPTIONS}, agent, rejectUnauthorized: false }`,
  },
  'certpin handed on': {
    agent: '((c) => { c.pinnedAgent = () => undefined; })(certpin); const agent = certpin.pinnedAgent();',
    request: `{ ${OPTIONS}, agent, rejectUnauthorized: false }`,
  },
  'pins that are written again': {
    before: `let pins = '${'A'.repeat(64)}'; pins = 'IMPOSTOR';`,
    pins: 'pins',
  },
  'the agent, another function of it': {
    after: `agent.createConnection = (o) => require('tls').connect({ ...o, rejectUnauthorized: false });`,
  },
  'the agent, by Object.assign': {
    after: `Object.assign(agent, { createConnection: (o) => require('tls').connect({ ...o, rejectUnauthorized: false }) });`,
  },
  'the agent, in a function': {
    after: `const off = (a) => { a.createConnection = (o) => require('tls').connect({ ...o, rejectUnauthorized: false }); }; off(agent);`,
  },
  'the agent, in a callback': {
    after: `[agent].forEach((a) => { a.createConnection = (o) => require('tls').connect({ ...o, rejectUnauthorized: false }); });`,
  },
  'the agent, out of an object': {
    after: `const kept = { agent }; kept.agent.createConnection = (o) => require('tls').connect({ ...o, rejectUnauthorized: false });`,
  },
  'the agent of another class': {
    after: `class Mine extends require('https').Agent { createConnection(o) { return require('tls').connect({ ...o, rejectUnauthorized: false }); } }
  Object.setPrototypeOf(agent, Mine.prototype); agent.createConnection = Mine.prototype.createConnection;`,
  },
  'another agent': {
    agent: `let agent = certpin.pinnedAgent({ pins: '${'A'.repeat(64)}' }); agent = undefined;`,
    request: `{ ${OPTIONS}, agent, rejectUnauthorized: false }`,
  },
  'no agent under a condition': {
    request: `{ ${OPTIONS}, agent: email ? undefined : agent, rejectUnauthorized: false }`,
  },
  'an option twice': { request: `{ ${OPTIONS}, agent, agent: undefined, rejectUnauthorized: false }` },
  'options on top': { request: `{ ${OPTIONS}, agent, ...{ agent: undefined, rejectUnauthorized: false } }` },
  'createConnection beside the agent': {
    request: `{ ${OPTIONS}, agent, createConnection: (o) => require('tls').connect({ ...o, rejectUnauthorized: false }) }`,
  },
  'an option of the options': {
    after: `const options = { ${OPTIONS}, agent, rejectUnauthorized: false }; options.agent = undefined;`,
    request: 'options',
  },
  'an option put in and taken out': {
    after: `const options = ${unverified}; options.agent = agent; delete options.agent;`,
    request: 'options',
  },
  'an option under a made name': {
    after: `const options = { ${OPTIONS}, agent }; for (const key in options) if (key < 'b') options[key] = undefined; options['reject' + 'Unauthorized'] = false;`,
    request: 'options',
  },
  'an option in a function': {
    after: `function off(o) { o.agent = undefined; return o; }`,
    request: `off({ ${OPTIONS}, agent, rejectUnauthorized: false })`,
  },
  'an option by Object.assign': {
    request: `Object.assign({ ${OPTIONS}, agent }, { agent: undefined, rejectUnauthorized: false })`,
  },
  'an option by a getter': {
    request: `{ ${OPTIONS}, rejectUnauthorized: false, get agent() { return email ? undefined : agent; } }`,
  },
  'an agent that is not used': { request: unverified },
  // What certpin made is not always there.
  'an agent that is made under a condition': {
    agent: `let agent; if (password === '') agent = certpin.pinnedAgent({ pins: '${'A'.repeat(64)}' });`,
    after: LOOSE,
  },
  'an agent that is declared under a condition': {
    agent: `if (password === '') { var agent = certpin.pinnedAgent({ pins: '${'A'.repeat(64)}' }); }`,
    after: LOOSE,
  },
  'a function that gives back what it was given, under a condition': wrapped(
    'if (email) return all[0]; return certpin.pinnedAgent(all[1]);',
  ),
  'a function that chooses between what it was given and what certpin makes': wrapped(
    'return email ? all[0] : certpin.pinnedAgent(all[1]);',
  ),
  'a function that gives back what it was given, or what certpin makes': wrapped(
    'return all[0] || certpin.pinnedAgent(all[1]);',
  ),
  'a function that gives back what it has laid aside': wrapped(
    'const [given] = all; if (email) return given; return certpin.pinnedAgent(all[1]);',
  ),
  'an agent that could not be made': {
    agent: `let agent; try { agent = certpin.pinnedAgent({ pins: 'none' }); } catch (error) { console.log(error.message); }`,
    after: LOOSE,
  },
  'an agent that is made in one case': {
    agent: `let agent; switch (password) { case '': agent = certpin.pinnedAgent({ pins: '${'A'.repeat(64)}' }); }`,
    after: LOOSE,
  },
  'a global agent under a condition': {
    agent: `if (password === '' && !global.agent) global.agent = certpin.pinnedAgent({ pins: '${'A'.repeat(64)}' });`,
    after: LOOSE,
    request: `{ ${OPTIONS}, agent: global.agent }`,
  },
  'a function that comes to its end': {
    after: `function pick() { if (password === '') return agent; } ${LOOSE}`,
    request: `{ ${OPTIONS}, agent: pick() }`,
  },
  'a function that returns nothing': {
    after: `function pick() { if (password !== '') return; return agent; } ${LOOSE}`,
    request: `{ ${OPTIONS}, agent: pick() }`,
  },
  'an agent behind &&': { after: LOOSE, request: `{ ${OPTIONS}, agent: (password === '' && agent) || undefined }` },
  'an agent after the && of a call': { after: LOOSE, request: `{ ${OPTIONS}, agent: [].find(() => false) && agent }` },
  'an agent, or what JSON gave': {
    after: LOOSE,
    request: `{ ${OPTIONS}, agent: password === '' ? agent : JSON.parse('false') }`,
  },
  'an agent, or what the platform gave': {
    after: LOOSE,
    request: `{ ${OPTIONS}, agent: password === '' ? agent : callback.agent }`,
  },
  'a default that is not needed': {
    after: `const { agent: chosen = agent } = { agent: null }; ${LOOSE}`,
    request: `{ ${OPTIONS}, agent: chosen }`,
  },
  'an agent that is spread under a condition': {
    after: LOOSE,
    request: `{ ${OPTIONS}, ...(password === '' && { agent }) }`,
  },
  'an option put in under a condition': {
    after: `const options = ${unverified}; if (password === '') options.agent = agent;`,
    request: 'options',
  },
  'an option put in behind &&': {
    after: `const options = ${unverified}; password === '' && (options.agent = agent);`,
    request: 'options',
  },
  'the agent behind the last one': {
    after: `const agents = [agent]; ${LOOSE}`,
    request: `{ ${OPTIONS}, agent: agents[1] }`,
  },
  'a property that the agent has not': { after: LOOSE, request: `{ ${OPTIONS}, agent: agent.nothing }` },
  // What certpin made is led past.
  'options that are assigned on top': {
    after: `const options = ${unverified}; options.agent = agent; const more = { agent: undefined }; Object.assign(options, more);`,
    request: 'options',
  },
  'an option under one of two names': {
    after: `const options = ${unverified}; options.agent = agent; options[password ? 'agent' : 'x'] = undefined;`,
    request: 'options',
  },
  'an option on top of a copy': {
    after: `const pinned = { ${OPTIONS}, agent };`,
    request: `Object.assign({}, pinned, { agent: undefined, rejectUnauthorized: false })`,
  },
  'an agent behind what was spread': {
    after: `const pinned = { ${OPTIONS}, agent };`,
    request: `{ ...pinned, agent: new (require('https').Agent)(${LOOSE_OPTIONS}) }`,
  },
  'the rest of the options': {
    after: `const pinned = { ${OPTIONS}, agent }; const { agent: none, ...others } = pinned; ${LOOSE}`,
    request: 'others',
  },
  'all options but one': {
    after: `const pinned = { ${OPTIONS}, agent }; ${LOOSE}`,
    request: `Object.fromEntries(Object.entries(pinned).filter(([name]) => name !== 'agent'))`,
  },
  'a connection that is put into the agent': {
    after: `agent.emit('free', require('tls').connect(${LOOSE_OPTIONS}), { host: 'localhost', port: PORT });`,
  },
  'another agent for a single request': {
    after: `const api = require('axios').create({ httpsAgent: agent, proxy: false });
  api.get('https://localhost:PORT/?' + password, { httpsAgent: new (require('https').Agent)(${LOOSE_OPTIONS}) }).catch(callback);`,
  },
  'another agent for a single request, in a constant': {
    after: `const api = require('axios').create({ httpsAgent: agent, proxy: false });
  const config = { httpsAgent: new (require('https').Agent)(${LOOSE_OPTIONS}) };
  api.get('https://localhost:PORT/?' + password, config).catch(callback);`,
  },
  'another agent by an interceptor': {
    after: `const api = require('axios').create({ httpsAgent: agent, proxy: false });
  api.interceptors.request.use((config) => ({ ...config, httpsAgent: new (require('https').Agent)(${LOOSE_OPTIONS}) }));
  api.get('https://localhost:PORT/?' + password).catch(callback);`,
  },
  'another agent beside a spread': {
    whole: () => `function login(email, password, callback) {
${inlineBlock('axios').text}
  const api = require('axios').create({
    ...certpin.pinnedAxios({ baseURL: 'https://localhost:PORT' }, { pins: '${'A'.repeat(64)}' }),
    httpsAgent: new (require('https').Agent)(${LOOSE_OPTIONS}),
  });
  api.get('/?' + password).then(({ status }) => callback(null, status), callback);
}`,
  },
  'another fetch': {
    after: `let send = fetch; if (password === '') send = agent; send('https://localhost:PORT/?' + password).catch(callback);`,
  },
  'the emit of the socket': { on: `.on('socket', (s) => { delete s.emit; })` },
  'the emit of the socket, by its name': { on: `.on('socket', (s) => { s.emit = require('events').prototype.emit; })` },
  'the emit of the socket, borrowed': { on: `.on('socket', (s) => { s.emit = process.stdout.emit; })` },
  'the emit of the socket, in a method': {
    after: `const o = { off() { delete this.emit; } };`,
    on: `.on('socket', (s) => { o.off.call(s); })`,
  },
  'the emit of the socket, in a declared function': {
    after: `function off(s) { delete s[['em', 'it'].join('')]; }`,
    on: `.on('socket', off)`,
  },
  'the listeners of the socket': { on: `.on('socket', (s) => { s._events = {}; })` },
  'the handle of the socket': { on: `.on('socket', (s) => { const h = s._handle; delete h.onhandshakedone; })` },
  'another event of the socket': { on: `.on('socket', (s) => { s.on('secure', () => { s.emit = () => true; }); })` },
  'the socket kept in data': {
    after: `const kept = {};`,
    on: `.on('socket', (s) => { kept.s = s; delete kept.s.emit; })`,
  },
  'the socket kept in what is given': {
    after: `const kept = { a: {} };`,
    on: `.on('socket', (s) => { configuration.s = s; delete configuration.s.emit; })`,
  },
  // Who watches.
  'async hooks': before(
    `require('async_hooks').createHook({ init(id, type, trigger, resource) { if (type === 'TLSWRAP') resource.verifyError = () => null; } }).enable();`,
  ),
  'a diagnostics channel': before(
    `require('diagnostics_channel').subscribe('net.client.socket', ({ socket }) => { socket.emit = () => true; });`,
  ),
  'the inspector': before(
    `const s = new (require('inspector').Session)(); s.connect(); s.post('Runtime.evaluate', { expression: "process.getBuiltinModule('crypto').${E}" });`,
  ),
  'a listener of the process': before(`process.on('newListener', () => {});`),
  'a worker': before(`new (require('worker_threads').Worker)('0', { eval: true }).unref();`),
  'v8 flags': before(`require('v8').setFlagsFromString('--no-flush-bytecode');`),
  'util.inherits': before(`require('util').inherits(require('events').EventEmitter, function () {});`),
  'a package that writes': before(
    `const set = email.x ? require('lodash').set : () => {}; set(require('crypto'), 'timingSafeEqual', () => true);`,
  ),
  'a name that looks alike': { after: 'const сertpin = {}; void сertpin;' },
};
