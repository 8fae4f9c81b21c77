import { fork } from 'node:child_process';
import { webcrypto } from 'node:crypto';
import { once as event } from 'node:events';
import { fileURLToPath } from 'node:url';
import { certificateHex, type Minted, mint, publicKeyPin } from '@certpin/testkit';
import { type Daemon, startDaemon } from '@certpin/testkit/daemon';
import { requirePackage } from '@certpin/testkit/debian';
import { type Mariadb, startMariadb } from '@certpin/testkit/mariadb';
import { type Postgres, startPostgres } from '@certpin/testkit/postgres';
import { type Redis, startRedis } from '@certpin/testkit/redis';

/** The certificates of the web server, one for each port: the usual kinds of key, and chains of one to five certificates. */
const certificateKinds = [
  ...['p256', 'rsa2048', 'rsa4096', 'ed25519'],
  ...['chain2', 'chain3', 'chain4', 'chain5'],
] as const;

export type CertificateKind = (typeof certificateKinds)[number];

/** A server with TLS, its certificate, and the pins of it. */
export interface PinnedServer {
  readonly host: string;
  readonly port: number;
  readonly certificate: Minted;
  /** The CA that a client without pins must trust. */
  readonly ca: string;
  readonly certificatePin: string;
  readonly publicKeyPin: string;
}

/** The servers of a run, each in processes of its own. Each starts when it is first needed. */
export interface Stage {
  /** Fewer and shorter rounds: for a look, not for a published figure. */
  readonly quick: boolean;
  /** HAProxy, one thread: HTTP over TLS 1.2 and 1.3, with session tickets. Every answer is `ok`. */
  readonly web: (kind: CertificateKind) => Promise<PinnedServer>;
  /** This many servers, which differ only in their addresses: one listener of HAProxy with the certificate `p256`. */
  readonly fleet: (count: number) => Promise<{ readonly targets: readonly string[]; readonly certificatePin: string }>;
  readonly postgres: () => Promise<Postgres & PinnedServer>;
  readonly mariadb: () => Promise<Mariadb & PinnedServer>;
  readonly redis: () => Promise<Redis & PinnedServer>;
  /** Scripted. It accepts any login. */
  readonly sqlServer: () => Promise<PinnedServer>;
  readonly stop: () => Promise<void>;
}

export function createStage(quick: boolean): Stage {
  const running: { stop: () => Promise<unknown> }[] = [];
  const keep = async <Server extends { stop: () => Promise<unknown> }>(started: Promise<Server>): Promise<Server> => {
    const server = await started;
    running.push(server);
    return server;
  };
  const web = once(async () => {
    const certificates = await mintAll();
    return { certificates, daemon: await keep(startWebServer(certificates)) };
  });
  const ofDatabase = async <Server extends { readonly host: string; readonly port: number }>(
    start: (certificate: Minted) => Promise<Server & { stop: () => Promise<unknown> }>,
  ): Promise<Server & PinnedServer> => {
    const certificate = await mint();
    return describe(await keep(start(certificate)), certificate);
  };
  const mariadbFlags = ['--max-connections=2000'];
  return {
    quick,
    web: async (kind) => {
      const { certificates, daemon } = await web();
      return describe({ host: daemon.host, port: daemon.ports[kind] }, certificates[kind]);
    },
    fleet: async (count) => {
      const { certificates, daemon } = await web();
      // All of 127.0.0.0/8 is this machine.
      const address = (index: number): string => `127.${1 + (index >> 16)}.${(index >> 8) & 0xff}.${index & 0xff}`;
      const targets = Array.from({ length: count }, (_, index) => `tls://${address(index)}:${daemon.ports.fleet}`);
      return { targets, certificatePin: certificateHex(certificates.p256) };
    },
    postgres: once(() => ofDatabase(startLargePostgres)),
    mariadb: once(() => ofDatabase((certificate) => startMariadb({ certificate, flags: mariadbFlags }))),
    redis: once(() => ofDatabase((certificate) => startRedis({ certificate }))),
    sqlServer: once(() => ofDatabase(startSqlServer)),
    stop: async () => {
      await Promise.all(running.map((server) => server.stop()));
    },
  };
}

async function startSqlServer({ chainPem, keyPem }: Minted) {
  const child = fork(fileURLToPath(new URL('sql-server.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
  child.send({ chainPem, keyPem });
  const [{ host, port }] = (await event(child, 'message')) as [{ host: string; port: number }];
  return { host, port, stop: async () => void child.disconnect() };
}

/** With room for the connections that `memory` leaves idle. */
async function startLargePostgres(certificate: Minted): Promise<Postgres> {
  const postgres = await startPostgres({ certificate });
  await postgres.configure({ max_connections: '1100' });
  await postgres.restart();
  return postgres;
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

async function describe<Address extends { readonly host: string; readonly port: number }>(
  address: Address,
  certificate: Minted,
): Promise<Address & PinnedServer> {
  let root = certificate;
  while (root.issuer !== undefined) root = root.issuer;
  return {
    ...address,
    certificate,
    ca: root.certPem,
    certificatePin: certificateHex(certificate),
    publicKeyPin: await publicKeyPin(certificate),
  };
}

async function mintAll(): Promise<Record<CertificateKind, Minted>> {
  const rsa4096 = (await webcrypto.subtle.generateKey(
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: Uint8Array.of(1, 0, 1), modulusLength: 4096 },
    true,
    ['sign', 'verify'],
  )) as webcrypto.CryptoKeyPair;
  return {
    p256: await mint(),
    rsa2048: await mint({ keyType: 'rsa' }),
    rsa4096: await mint({ keyType: 'rsa', keys: rsa4096 }),
    ed25519: await mint({ keyType: 'ed25519' }),
    chain2: await mintChain(2),
    chain3: await mintChain(3),
    chain4: await mintChain(4),
    chain5: await mintChain(5),
  };
}

/** `length` certificates, the root that is not presented among them. */
async function mintChain(length: number): Promise<Minted> {
  let issuer = await mint({ ca: true, subject: 'CN=Root' });
  for (let depth = 1; depth < length - 1; depth++) {
    issuer = await mint({ ca: true, subject: `CN=Intermediate ${depth}`, issuer });
  }
  return mint({ issuer });
}

function startWebServer(certificates: Record<CertificateKind, Minted>): Promise<Daemon<CertificateKind | 'fleet'>> {
  const program = requirePackage('haproxy', 'haproxy');
  return startDaemon({
    name: 'HAProxy',
    certificate: certificates.p256,
    services: [...certificateKinds, 'fleet'],
    configure: ({ folder, ports }) => ({
      command: [program, '-db', '-f', `${folder}/haproxy.cfg`],
      files: {
        'haproxy.cfg': [
          ...['global', ' nbthread 1', ' maxconn 4000', 'defaults', ' mode http'],
          ...[' timeout connect 5s', ' timeout client 600s', ' timeout server 5s', ' timeout http-keep-alive 600s'],
          ...certificateKinds.flatMap((kind) => [
            `frontend ${kind}`,
            ` bind 127.0.0.1:${ports[kind]} ssl crt ${folder}/${kind}.pem alpn http/1.1 ssl-min-ver TLSv1.2`,
            ' http-request return status 200 content-type text/plain string ok',
          ]),
          ...['frontend fleet', ` bind :${ports.fleet} ssl crt ${folder}/p256.pem ssl-min-ver TLSv1.2`],
          ...[' http-request return status 200 content-type text/plain string ok', ''],
        ].join('\n'),
        ...Object.fromEntries(
          certificateKinds.map((kind) => [`${kind}.pem`, certificates[kind].chainPem + certificates[kind].keyPem]),
        ),
      },
    }),
  });
}
