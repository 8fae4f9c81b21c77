import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder, openssl } from './support.ts';

/** Certificates that the testkit does not mint, made by the openssl command. PEM. */
export interface OpensslCertificates {
  readonly version1: string;
  readonly rsaPssKey: string;
  readonly rsaPssSignature: string;
  readonly rsaPssSha1: string;
  readonly md5: string;
  readonly p384: string;
  readonly compressedPoint: string;
  readonly explicitCurve: string;
  readonly ed448: string;
  readonly manyExtensions: string;
  readonly longSerial: string;
}

const curve = (name: string) => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${name}`];
const rsa = ['-newkey', 'rsa:2048'];

const extensions = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=serverAuth,clientAuth',
  'subjectKeyIdentifier=hash',
  'subjectAltName=DNS:many.example.com,DNS:*.many.example.com,IP:192.0.2.1,IP:2001:db8::1,URI:https://example.com/?a=b',
  'certificatePolicies=1.2.3.4.5,2.5.29.32.0',
  'authorityInfoAccess=OCSP;URI:http://ocsp.example.com/',
  'crlDistributionPoints=URI:http://crl.example.com/a.crl',
  'nsComment=A comment',
  '1.2.3.4.5.6.7.8.9=ASN1:UTF8String:of our own',
  '2.999.1=ASN1:NULL',
];

export function makeOpensslCertificates(): OpensslCertificates {
  return inFolder((folder) => {
    const file = (name: string) => join(folder, name);
    const selfSigned = (name: string, ...args: readonly string[]): string => {
      const subject = args.includes('-subj') ? [] : ['-subj', `/CN=${name}.example.com`];
      openssl([
        'req',
        '-x509',
        '-nodes',
        '-days',
        '30',
        '-keyout',
        file('key'),
        '-out',
        file('crt'),
        ...subject,
        ...args,
      ]);
      return readFileSync(file('crt'), 'utf8');
    };
    const generated = (name: string, args: readonly string[]): string => {
      openssl(['genpkey', '-out', file('given-key'), ...args]);
      openssl([
        'req',
        '-x509',
        '-days',
        '30',
        '-key',
        file('given-key'),
        '-out',
        file('crt'),
        '-subj',
        `/CN=${name}.example.com`,
      ]);
      return readFileSync(file('crt'), 'utf8');
    };
    // A signing request without extensions becomes a certificate of version 1.
    openssl([
      'req',
      '-new',
      '-nodes',
      ...curve('P-256'),
      '-keyout',
      file('key'),
      '-out',
      file('csr'),
      '-subj',
      '/CN=v1.example.com',
    ]);
    openssl(['x509', '-req', '-in', file('csr'), '-signkey', file('key'), '-days', '30', '-out', file('v1')]);
    const version1 = readFileSync(file('v1'), 'utf8');

    openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file('ec')]);
    openssl(['ec', '-in', file('ec'), '-conv_form', 'compressed', '-out', file('compressed')]);
    openssl([
      'req',
      '-x509',
      '-days',
      '30',
      '-key',
      file('compressed'),
      '-out',
      file('crt'),
      '-subj',
      '/CN=compressed.example.com',
    ]);
    const compressedPoint = readFileSync(file('crt'), 'utf8');

    const explicit = ['-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'];
    return {
      version1,
      rsaPssKey: generated('pss', ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048']),
      rsaPssSignature: selfSigned('pss', ...rsa, '-sigopt', 'rsa_padding_mode:pss', '-sha384'),
      rsaPssSha1: selfSigned('pss', ...rsa, '-sigopt', 'rsa_padding_mode:pss', '-sha1'),
      md5: selfSigned('md5', ...rsa, '-md5'),
      p384: selfSigned('p384', ...curve('P-384')),
      compressedPoint,
      explicitCurve: generated('explicit', ['-algorithm', 'EC', ...explicit]),
      ed448: selfSigned('ed448', '-newkey', 'ed448'),
      manyExtensions: selfSigned(
        'many',
        ...curve('P-256'),
        ...extensions.flatMap((extension) => ['-addext', extension]),
      ),
      longSerial: selfSigned('serial', ...curve('P-256'), '-set_serial', `0x7f${'ab'.repeat(19)}`),
    };
  });
}
