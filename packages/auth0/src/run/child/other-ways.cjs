// @ts-check
'use strict';
const childProcess = require('node:child_process');
const dgram = require('node:dgram');
const dns = require('node:dns');
const { syncBuiltinESMExports } = require('node:module');
const { basename } = require('node:path');
const { isIP, Server, Socket } = require('node:net');
const { TLSSocket } = require('node:tls');
const workerThreads = require('node:worker_threads');

/** Native modules that are known to compute only, and to send nothing. */
const silent = ['bcrypt', 'bcrypt_lib', 'bcrypt.napi', 'argon2', 'scrypt', 'sodium'];

/** Parts of Node's own bindings that use the network, or start something that could. */
const bindings = /^(?:tcp|pipe|udp|tls|stream|process|js_stream|cares|tty)_wrap$|^spawn_sync$|^worker$/;

/** Look-ups whose first argument is a name or an address. */
const lookUps =
  /^(?:lookup|lookupService|reverse|resolve|resolve(?:4|6|Any|Caa|Cname|Mx|Naptr|Ns|Ptr|Soa|Srv|Tlsa|Txt))$/;

/**
 * Reports every way by which bytes can leave without a relay: other threads and processes, unix sockets, datagrams, opened ports, native
 * modules.
 *
 * @param {(way: string) => void} tell
 */
function watchOtherWays(tell) {
  before(Socket.prototype, 'connect', ([first]) => {
    const [given] = Array.isArray(first) ? first : [first];
    const isPath = typeof given === 'string' ? Number.isNaN(Number(given)) : Boolean(given?.path);
    if (isPath) tell('a socket of this machine');
  });
  before(Server.prototype, 'listen', () => tell('a port that it opens'));
  for (const name of ['bind', 'connect', 'send']) before(dgram.Socket.prototype, name, () => tell('datagrams'));
  before(/** @type {any} */ (childProcess).ChildProcess.prototype, 'spawn', () => tell('another process'));
  for (const name of ['spawnSync', 'execSync', 'execFileSync']) {
    before(childProcess, name, () => tell('another process'));
  }
  before(process, 'execve', () => tell('another process'));
  before(process, 'dlopen', ([, file]) => {
    const name = basename(String(file)).replace(/\.node$/, '');
    if (!silent.includes(name)) tell(`the native module ${name}`);
  });
  for (const holder of ['binding', '_linkedBinding']) {
    before(process, holder, ([name]) => bindings.test(String(name)) && tell("Node's inner bindings"));
  }
  workerThreads.Worker = class extends workerThreads.Worker {
    /** @param {ConstructorParameters<typeof workerThreads.Worker>} values */
    constructor(...values) {
      tell('another thread');
      super(...values);
    }
  };
  syncBuiltinESMExports();
}

/**
 * Reports the names that go over the network without a connection: those that are looked up, and those that TLS sends in plaintext.
 *
 * @param {(name: { name: string, lookedUp: boolean }) => void} tell
 */
function watchNames(tell) {
  const lookUp = (/** @type {any[]} */ [name]) => {
    if (isIP(String(name)) === 0) tell({ name: String(name), lookedUp: true });
  };
  for (const holder of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
    for (const name of Object.getOwnPropertyNames(holder)) if (lookUps.test(name)) before(holder, name, lookUp);
  }
  before(TLSSocket.prototype, 'setServername', ([name]) => tell({ name: String(name), lookedUp: false }));
  syncBuiltinESMExports();
}

/**
 * @param {any} holder
 * @param {string} name
 * @param {(values: any[]) => void} look
 */
function before(holder, name, look) {
  const original = holder[name];
  if (typeof original !== 'function') return; // Not every Node has it.
  /** @this {any} */
  holder[name] = function watched(/** @type {any[]} */ ...values) {
    look(values);
    return original.apply(this, values);
  };
}

module.exports = { watchNames, watchOtherWays };
