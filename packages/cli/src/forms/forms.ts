import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { type Certificate, type CertificateSpelling, formatPin, type PublicKeySpelling, parsePin } from 'certpin';
import type { Target } from 'certpin/probe';
import { printConfiguration } from './configurations.ts';
import type { Form } from './form.ts';
import { publicKeyPin } from './public-key-pin.ts';
import { printVariable } from './variable.ts';

/** What `--format` takes. */
export const forms: Readonly<Record<string, Form>> = {
  hex: certificateForm('64 hex digits of the certificate, as -q', 'hex'),
  colon: certificateForm('the same with colons, as openssl prints it', 'colon'),
  spki: publicKeyForm('sha256/BASE64 of the public key', 'okhttp'),
  curl: publicKeyForm("sha256//BASE64, for curl's --pinnedpubkey", 'curl'),
  hpkp: publicKeyForm('pin-sha256="BASE64" (RFC 7469)', 'hpkp'),
  okhttp: publicKeyForm("sha256/BASE64, for OkHttp's CertificatePinner", 'okhttp'),
  kubeadm: publicKeyForm('sha256:HEX, for --discovery-token-ca-cert-hash', 'kubeadm'),
  tlsa: { meaning: 'DNS records 3 1 1 and 3 0 1 (RFC 6698)', ...perCertificate(printTlsa) },
  pem: { meaning: 'the certificate itself', ...perCertificate(printPem) },
  env: { meaning: 'NAME=pin, for a secret store or an .env file', print: printVariable },
  pg: printConfiguration('pg'),
  mysql2: printConfiguration('mysql2'),
  axios: printConfiguration('axios'),
  fetch: printConfiguration('fetch'),
};

function certificateForm(meaning: string, spelling: CertificateSpelling): Form {
  return {
    meaning,
    ...perCertificate(({ certificateSha256 }) => formatPin(parsePin(certificateSha256), spelling)),
  };
}

function publicKeyForm(meaning: string, spelling: PublicKeySpelling): Form {
  return {
    meaning,
    ...perCertificate((certificate) => formatPin(publicKeyPin(certificate), spelling)),
  };
}

type PrintCertificate = (certificate: Certificate, target: Target, position: number) => string;

function perCertificate(print: PrintCertificate): Pick<Form, 'print' | 'printChain'> {
  return {
    print: ({ certificates: [own], target }) => print(own, target, 0),
    printChain: ({ certificates, target }) =>
      certificates.map((certificate, position) => print(certificate, target, position)).join('\n'),
  };
}

/**
 * RFC 7671 §5.1 prefers 3 1 1. The certificate of a CA that was sent along has usage 2 (RFC 7671 §5.2). In a file, it may belong to another
 * server.
 */
function printTlsa(certificate: Certificate, target: Target, position: number): string {
  const owner = tlsaOwner(target);
  return [publicKeyPin(certificate), parsePin(certificate.certificateSha256)]
    .map((pin) => formatPin(pin, 'tlsa'))
    .map((data) => `${owner}${position === 0 || !certificate.x509.ca ? data : data.replace(/^3/, '2')}`)
    .join('\n');
}

/** The name of the record (RFC 6698 §3). Empty: the target has no name in DNS. */
function tlsaOwner(target: Target): string {
  if (!('host' in target) || isIP(target.host) !== 0) return '';
  const name = domainToASCII(target.host.replace(/\.$/, ''));
  return /^[\w.-]+$/.test(name) ? `_${target.port}._tcp.${name}. IN TLSA ` : '';
}

function printPem({ der }: Certificate): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----'].join('\n');
}
