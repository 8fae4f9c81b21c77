// @ts-check
'use strict';
const crypto = require('node:crypto');
const { syncBuiltinESMExports } = require('node:module');
const { TLSSocket } = require('node:tls');

const { X509Certificate } = crypto;

/** Hashes for which an attacker can make two inputs with one value. */
const weak = /^(?:rsa-)?(?:md4|md5|sha-?1|ripemd|rmd160)/i;

/** The getter as Node made it, for our own calls. */
const fingerprintOf = /** @type {() => string} */ (
  Object.getOwnPropertyDescriptor(X509Certificate.prototype, 'fingerprint256')?.get
);

/** Certificates of servers, as the script got them from their sockets. */
const leaves = new WeakMap();

/** The same in DER, with their public keys: `raw`, `pubkey`, SubjectPublicKeyInfo. @type {Map<string, string>} */
const derOf = new Map();

/**
 * Reports every handshake that the script completes, and what the script looks at in the server's certificate. What is only copied counts
 * as looked at. Issuers are not reported, because they say nothing about the server.
 *
 * @param {(handshake: { certificate: string, trusted: boolean }) => void} tellHandshake `certificate`: SHA-256, as Node writes it;
 * `trusted`: whether OpenSSL's verification passed
 * @param {(look: { certificate: string, at: string }) => void} tellLook
 */
function watchCertificates(tellHandshake, tellLook) {
  /** @type {Set<string>} */
  const told = new Set();
  const look = (/** @type {string} */ certificate, /** @type {string} */ at) => {
    if (told.has(`${certificate} ${at}`)) return;
    told.add(`${certificate} ${at}`);
    tellLook({ certificate, at });
  };
  watchSockets(tellHandshake, look);
  watchX509(look);
  watchDigests(look);
  syncBuiltinESMExports();
}

/**
 * @param {Parameters<typeof watchCertificates>[0]} tellHandshake
 * @param {(certificate: string, at: string) => void} look
 */
function watchSockets(tellHandshake, look) {
  const socket = /** @type {any} */ (TLSSocket.prototype);
  // getPeerX509Certificate() can take the certificate away from the next caller. This function cannot.
  const { getPeerCertificate, getPeerX509Certificate, getSession, emit } = socket;
  const nameOf = (/** @type {any} */ from) => getPeerCertificate.call(from)?.fingerprint256;

  /** @this {any} */
  socket.emit = function watched(/** @type {any[]} */ ...values) {
    if (values[0] === 'secure' && this._tlsOptions?.isServer !== true) {
      const certificate = nameOf(this);
      if (certificate) tellHandshake({ certificate, trusted: (this.ssl?.verifyError() ?? null) === null });
    }
    return emit.apply(this, values);
  };
  /** @this {any} */
  socket.getPeerCertificate = function watched(/** @type {any[]} */ ...values) {
    return watchLegacy(getPeerCertificate.apply(this, values), look);
  };
  /** @this {any} */
  socket.getPeerX509Certificate = function watched() {
    const leaf = getPeerX509Certificate.call(this);
    if (leaf !== undefined) remember(leaf);
    return leaf;
  };
  /** @this {any} */
  socket.getSession = function watched() {
    const session = getSession.call(this);
    const certificate = session && nameOf(this);
    if (certificate) look(certificate, 'session'); // The certificate is in it.
    return session;
  };
}

/**
 * The object of `getPeerCertificate()`, which `checkServerIdentity` gets too, with properties that tell.
 *
 * @param {any} certificate
 * @param {(certificate: string, at: string) => void} look
 */
function watchLegacy(certificate, look) {
  if (!certificate?.fingerprint256) return certificate; // None, or an empty object.
  const { fingerprint256, raw, pubkey } = certificate;
  for (const der of [raw, pubkey]) if (der) derOf.set(der.toString('latin1'), fingerprint256);
  for (const key of Object.keys(certificate)) {
    let value = certificate[key];
    Object.defineProperty(certificate, key, {
      enumerable: true,
      configurable: true,
      get() {
        look(fingerprint256, key);
        return value;
      },
      set(other) {
        value = other;
      },
    });
  }
  return certificate;
}

/** @param {import('node:crypto').X509Certificate} leaf */
function remember(leaf) {
  const certificate = fingerprintOf.call(leaf);
  derOf.set(leaf.raw.toString('latin1'), certificate);
  derOf.set(leaf.publicKey.export({ type: 'spki', format: 'der' }).toString('latin1'), certificate);
  leaves.set(leaf, certificate);
}

/** @param {(certificate: string, at: string) => void} look */
function watchX509(look) {
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(X509Certificate.prototype))) {
    const { get, value } = descriptor;
    const original = get ?? value;
    if (key === 'constructor' || typeof original !== 'function') continue;
    /** @this {any} */
    const watched = function (/** @type {any[]} */ ...values) {
      const certificate = leaves.get(this);
      if (certificate === undefined) return original.apply(this, values);
      if (key === 'toLegacyObject') return watchLegacy(original.apply(this, values), look);
      look(certificate, key);
      return original.apply(this, values);
    };
    Object.defineProperty(X509Certificate.prototype, key, {
      ...descriptor,
      ...(get === undefined ? { value: watched } : { get: watched }),
    });
  }
}

/**
 * What is hashed of a certificate, and whether the hash is one that tells certificates apart.
 *
 * @param {(certificate: string, at: string) => void} look
 */
function watchDigests(look) {
  const hashed = (/** @type {string} */ algorithm, /** @type {unknown} */ data) => {
    const bytes = ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : undefined;
    const certificate = bytes && derOf.get(bytes.toString('latin1'));
    if (certificate) look(certificate, weak.test(algorithm) ? 'weak digest' : 'digest');
  };
  const { createHash, hash } = /** @type {any} */ (crypto);
  /** @type {any} */ (crypto).createHash = (/** @type {any[]} */ ...values) => {
    const made = createHash(...values);
    const { update } = made;
    made.update = (/** @type {any[]} */ ...data) => {
      hashed(String(values[0]), data[0]);
      return update.apply(made, data);
    };
    return made;
  };
  if (hash === undefined) return; // It does not exist before Node 20.12.
  /** @type {any} */ (crypto).hash = (/** @type {any[]} */ ...values) => {
    hashed(String(values[0]), values[1]);
    return hash(...values);
  };
}

module.exports = { watchCertificates };
