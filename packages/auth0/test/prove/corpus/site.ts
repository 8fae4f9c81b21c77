import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CountingServer, type Minted, mint, startHttpsServer } from '@certpin/testkit';
import { type Mariadb, startMariadb } from '@certpin/testkit/mariadb';
import { type Postgres, startPostgres } from '@certpin/testkit/postgres';
import { type ProofReport, prove } from '../../../src/index.ts';
import { type Client, databaseClients, httpClients, type Place } from './clients.ts';

/** A script of the corpus. */
export interface Case {
  readonly name: string;
  readonly source: string;
  /** Its server's certificate is issued by a CA, and not by itself. */
  readonly issued?: boolean;
  /** Node trusts its server's certificate by default. */
  readonly trusts?: boolean;
}

/** The servers of the corpus. */
export interface Site {
  readonly http: (issued: boolean) => Readonly<Record<string, Client>>;
  readonly databases: Readonly<Record<string, Client>>;
  readonly place: (issued: boolean) => Place;
  readonly account: (name: 'postgres' | 'mariadb') => object;
  /** Another server with the certificate of the first, and its clients. */
  readonly second: Place;
  readonly other: (client: string) => Client;
  /** A server without TLS. */
  readonly plain: Place;
  /** An object in JavaScript: what the scripts know of the genuine certificate. */
  readonly constants: (issued: boolean) => string;
  readonly prove: (one: Case) => Promise<ProofReport>;
  readonly close: () => Promise<void>;
}

export async function openSite(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-corpus-'));
  const ca = await mint({ subject: 'CN=Own CA', ca: true });
  const selfSigned = await mint();
  // The CA comes along, as a private one does.
  const leaf = await mint({ issuer: ca, keyType: 'rsa' });
  const issued: Minted = { ...leaf, chainPem: leaf.certPem + ca.certPem };
  const trustedCaFile = join(folder, 'trusted.pem');
  writeFileSync(trustedCaFile, selfSigned.certPem + ca.certPem);
  const [self, byCa, second, postgres, mariadb] = await Promise.all([
    startHttpsServer({ certificate: selfSigned }),
    startHttpsServer({ certificate: issued }),
    startHttpsServer({ certificate: selfSigned }),
    startPostgres({ certificate: selfSigned }),
    startMariadb({ certificate: selfSigned }),
  ]);
  const plainServer = createServer((request, response) => request.resume().on('end', () => response.end('{}'))).listen(
    0,
    '127.0.0.1',
  );
  await new Promise((resolve) => plainServer.once('listening', resolve));
  const place = (isIssued: boolean): CountingServer => (isIssued ? byCa : self);
  return {
    http: (isIssued) => httpClients(place(isIssued)),
    databases: databaseClients(postgres, mariadb),
    place,
    // The driver's own default of one second is short for a machine that has much to do.
    account: (name) => (name === 'postgres' ? accountOf(postgres) : { ...accountOf(mariadb), connectTimeout: 10_000 }),
    second,
    other: (client) => httpClients(second)[client] as Client,
    plain: { host: '127.0.0.1', port: (plainServer.address() as AddressInfo).port },
    constants: (isIssued) => JSON.stringify(constantsOf(isIssued ? issued : selfSigned, isIssued ? ca : selfSigned)),
    prove: ({ source, trusts = false }) =>
      prove(
        { source, folder: fileURLToPath(new URL('.', import.meta.url)), fileName: 'login.js' },
        {
          args: { email: 'ada@example.com', password: 'correct horse battery' },
          stallMs: 3000,
          ...(trusts ? { trustedCaFile } : {}),
        },
      ),
    close: async () => {
      plainServer.closeAllConnections();
      plainServer.close();
      await Promise.all([self.close(), byCa.close(), second.close(), postgres.stop(), mariadb.stop()]);
      rmSync(folder, { recursive: true });
    },
  };
}

const accountOf = ({ host, port, user, password, database }: Postgres | Mariadb): object => ({
  ...{ host, port, user, password, database },
});

function constantsOf({ x509, certPem }: Minted, issuer: Minted): object {
  // biome-ignore lint/suspicious/noExplicitAny: Node's object has fields that depend on the key
  const legacy = x509.toLegacyObject() as any;
  const { raw, pubkey, ...plain } = legacy;
  const hash = (algorithm: string): string => createHash(algorithm).update(x509.raw).digest('hex');
  const spki = x509.publicKey.export({ type: 'spki', format: 'der' });
  return {
    ...plain,
    issuerCertificate: undefined,
    ...{
      raw: raw.toString('base64'),
      rawLength: raw.length,
      pubkey: pubkey?.toString('base64'),
      pubkeyLength: pubkey?.length,
    },
    ...{ fingerprint256: x509.fingerprint256, fingerprint512: x509.fingerprint512, ca: x509.ca },
    ...{ md5: hash('md5'), sha1: hash('sha1'), sha256: hash('sha256'), sha384: hash('sha384') },
    spki256: createHash('sha256').update(spki).digest('base64'),
    keyType: x509.publicKey.asymmetricKeyType,
    keyDetails: String(Object.values(x509.publicKey.asymmetricKeyDetails ?? {})),
    keyPem: x509.publicKey.export({ type: 'spki', format: 'pem' }),
    pem: certPem,
    caPem: issuer.certPem,
    issuerPem: issuer.certPem,
    issuerFingerprint: issuer.x509.fingerprint256,
  };
}
