// @ts-check
'use strict';
const { X509Certificate } = require('node:crypto');
const { syncBuiltinESMExports } = require('node:module');
const tls = require('node:tls');

const PEM = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/**
 * Adds the proof's CA to every trust list of the script that contains a CA, a public one or its own. Node's default list gets it from the
 * environment. A list with only the server's own certificate stays unchanged: only the owner of its key can sign for it.
 *
 * @param {{ ca: string, genuine: string[] | null }} trust `genuine`: the certificates of the servers in PEM; null: not known yet, and
 *   only lists with a public CA are extended
 */
function extendTrust({ ca, genuine }) {
  const own = genuine?.map((pem) => new X509Certificate(pem));
  /** @type {Set<string> | undefined} */
  let publicCas;
  const takesOthers = (/** @type {string} */ pem) => {
    publicCas ??= new Set(tls.rootCertificates.map(squeeze)); // Most scripts bring no list.
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
  // It does not exist before Node 22.18.
  if (setDefaultCACertificates !== undefined)
    /** @type {any} */ (tls).setDefaultCACertificates = (/** @type {unknown[]} */ list) =>
      setDefaultCACertificates(extended(list));
  syncBuiltinESMExports();
}

/** Node accepts text, and bytes in any view. */
function textOf(/** @type {unknown} */ entry) {
  if (!ArrayBuffer.isView(entry)) return String(entry);
  return Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength).toString('latin1');
}

/** Only the base64: lines can be broken in different ways. */
function squeeze(/** @type {string} */ pem) {
  return pem.replace(/-----[^-]+-----|\s/g, '');
}

/**
 * Whether a certificate of a list signs for others. A server's own self-signed certificate often says that it is a CA, because `openssl req
 * -x509` writes that. It differs from a CA in that it names a host, or has the subject of the genuine certificate.
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
    return false; // Node refuses the list.
  }
}

module.exports = { extendTrust };
