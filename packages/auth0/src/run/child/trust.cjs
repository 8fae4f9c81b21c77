// @ts-check
'use strict';
const { X509Certificate } = require('node:crypto');
const { syncBuiltinESMExports } = require('node:module');
const tls = require('node:tls');

const PEM = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/**
 * Puts the proof's CA into every trust list that the script makes and that takes certificates of others: beside CAs, public ones or its
 * own. The list that Node has by default gets it from the environment. A list that holds nothing but the server's own certificate
 * stays as it is: nobody but the owner of its key can sign for it.
 *
 * @param {{ ca: string, genuine: string[] | null }} trust `genuine`: the certificates of the servers in PEM; null: not known yet, and
 *   only lists with a public CA are extended
 */
function extendTrust({ ca, genuine }) {
  const own = genuine?.map((pem) => new X509Certificate(pem));
  /** @type {Set<string> | undefined} */
  let publicCas;
  const takesOthers = (/** @type {string} */ pem) => {
    publicCas ??= new Set(tls.rootCertificates.map(squeeze)); // most scripts bring no list
    if (publicCas.has(squeeze(pem))) return true;
    return own !== undefined && isCa(pem, own);
  };
  const extended = (/** @type {unknown} */ list) =>
    [list].flat(9).some((entry) => (textOf(entry).match(PEM) ?? []).some(takesOthers)) ? [list, ca].flat(9) : list;

  const { createSecureContext, setDefaultCACertificates } = /** @type {any} */ (tls);
  tls.createSecureContext = (/** @type {any} */ options, /** @type {any[]} */ ...more) => {
    const list = options?.ca && extended(options.ca);
    const given = list === options?.ca ? options : Object.create(options, { ca: { value: list } });
    return createSecureContext(given, ...more);
  };
  // It is younger than Node 22.18.
  if (setDefaultCACertificates !== undefined)
    /** @type {any} */ (tls).setDefaultCACertificates = (/** @type {unknown[]} */ list) =>
      setDefaultCACertificates(extended(list));
  syncBuiltinESMExports();
}

/** Node takes text, and bytes in whatever view of them. */
function textOf(/** @type {unknown} */ entry) {
  if (!ArrayBuffer.isView(entry)) return String(entry);
  return Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength).toString('latin1');
}

/** Base64 alone: lines are broken in more than one way. */
function squeeze(/** @type {string} */ pem) {
  return pem.replace(/-----[^-]+-----|\s/g, '');
}

/**
 * Whether a certificate of a list signs for others. A server's own self-signed certificate often says that it is a CA, because
 * `openssl req -x509` says so; what tells it from a CA is that it names a host, or is called as the genuine one.
 *
 * @param {string} pem
 * @param {X509Certificate[]} own
 */
function isCa(pem, own) {
  try {
    const certificate = new X509Certificate(pem);
    if (!certificate.ca || /\b(?:DNS|IP Address):/.test(certificate.subjectAltName ?? '')) return false;
    return !own.some(({ subject, fingerprint256 }) =>
      [subject, fingerprint256].some((value) => value === certificate.subject || value === certificate.fingerprint256),
    );
  } catch {
    return false; // Node refuses the list
  }
}

module.exports = { extendTrust };
