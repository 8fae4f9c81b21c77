import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mintWithHiddenKey } from './hidden-key.ts';
import { certificateHex, type Minted, mint, publicKeyPin } from './mint.ts';
import type { CountingServer, CountingServerOptions } from './tls-server.ts';

/** The policy of one server. */
export interface SuiteHostPolicy {
  readonly pins?: string | readonly string[];
  readonly issuerPins?: string;
}

type SomeSuitePins =
  | { readonly pins: SuiteHostPolicy['pins'] }
  | { readonly issuerPins: SuiteHostPolicy['issuerPins'] };

/** A policy as the suite writes it; the adapter under test gets it as it is. */
export type SuitePolicy = SuiteSettings & (SomeSuitePins | { readonly hosts: SuiteSettings['hosts'] });

interface SuiteSettings extends SuiteHostPolicy {
  readonly hosts?: Readonly<Record<string, SuiteHostPolicy & SomeSuitePins>>;
  readonly otherHosts?: 'verify';
  readonly expired?: 'accept';
  readonly connectTimeoutMs?: number;
  readonly resumption?: 'own';
}

/** TLS options that a client of any adapter can be given. */
export interface SuiteTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly servername?: string;
}

/**
 * What a case needs beyond one pin set. Examples are requests with a `Host` header (or `:authority`), a policy for each host, and pins that
 * change while the client uses them. Others are resumed sessions, and a protocol that can use TLS 1.3.
 */
export type SuiteAbility = 'host header' | 'hosts' | 'live pins' | 'own sessions' | 'TLS 1.3';

/** A policy whose pins are replaced while a client uses it. */
export interface LivePolicy {
  readonly policy: SuiteHostPolicy;
  readonly set: (pins: string) => void;
}

export interface SuiteTarget {
  readonly host: string;
  readonly port: number;
}

/** A configured client. Every exchange sends {@link CANARY} to the server and comes back with the server's answer. */
export interface SuiteClient {
  /** Rejects with the client's own error, whatever it wraps. */
  readonly exchange: () => Promise<void>;
  /** Drops every pooled connection, so that the next exchange makes a new one from the same configuration. */
  readonly reconnect: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What a client and its server say before TLS, and whether ALPN is agreed on. */
export type SuiteProtocol = 'tls' | 'http2' | 'postgres' | 'mysql' | 'ldap' | 'ldaps' | 'tds';

/** One adapter, as the suite needs it: a server that speaks its protocol, and a client. */
export interface SuiteAdapter {
  readonly name: string;
  readonly protocol: SuiteProtocol;
  /** Whether two exchanges in a row use one connection. */
  readonly pools: boolean;
  /** `false`: no session of an earlier exchange is resumed, because each has its own configuration, or its protocol forbids it. */
  readonly keepsConfiguration?: false;
  /** What this client cannot express, and why. Cases that need it are not run, and the table gives the reason. */
  readonly cannot?: Readonly<Partial<Record<SuiteAbility, string>>>;
  /**
   * Why the client does not run on the Node of this process. undefined: it does. If it does not, its configuration is refused when it is
   * made.
   */
  readonly notOnThisNode?: string | undefined;
  readonly startServer: (options: Omit<CountingServerOptions, 'onSocket'>) => Promise<CountingServer>;
  /** @param hostHeader what stands in the `Host` header, or `:authority`, of each request; by default the client's own */
  readonly createClient: (target: SuiteTarget, policy: SuitePolicy, tls: SuiteTls, hostHeader?: string) => SuiteClient;
  /** Every adapter with live pins has it. */
  readonly createLivePolicy?: (pins: string) => LivePolicy;
}

/** What every exchange sends. A wrong server must not see a byte of it. */
export const CANARY = 'certpin-canary-password';

/** Why an adapter failed a case. */
export type FailureKind =
  | 'refused-the-right-server'
  | 'accepted-the-wrong-server'
  | 'leaked'
  | 'wrong-error'
  | 'brought-down'
  | 'other';

export class ConformanceFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(`${kind}: ${message}`, { cause });
    this.name = 'ConformanceFailure';
    this.kind = kind;
  }
}

/** An adapter while a case runs. */
export interface ObservedAdapter extends SuiteAdapter {
  /** Gets, after every exchange with a wrong server, the number of application bytes that the server has received. */
  readonly onWrongServer: (bytes: number) => void;
}

export interface ConformanceCase {
  readonly name: string;
  /** What a client must be able to express. */
  readonly needs?: readonly SuiteAbility[];
  readonly run: (adapter: ObservedAdapter) => Promise<void>;
}

/** Why an adapter cannot run a case. undefined: it must run it. */
export function whyNotRun(
  { cannot }: Pick<SuiteAdapter, 'cannot'>,
  { needs = [] }: Pick<ConformanceCase, 'needs'>,
): string | undefined {
  return needs.map((ability) => cannot?.[ability]).find((reason) => reason !== undefined);
}

/** A name for which a stranger has a certificate of a CA that the client trusts. The stranger puts it into headers. */
const STRANGER = 'stranger.example';
/** A name that only a configuration gives, as for a server behind a tunnel. */
const NAMED = 'named.example';

/** The suite: every case is run for every adapter that can express it. */
export const conformanceCases: readonly ConformanceCase[] = [
  {
    name: 'a self-signed certificate connects by its certificate pin',
    run: async (adapter) => {
      const right = await mint();
      await withServer(adapter, right, {}, (server) => connects(adapter, server, { pins: certificateHex(right) }));
    },
  },
  {
    name: 'a self-signed certificate connects by its public-key pin',
    run: async (adapter) => {
      const right = await mintRsa();
      await withServer(adapter, right, {}, async (server) =>
        connects(adapter, server, { pins: await publicKeyPin(right) }),
      );
    },
  },
  {
    name: 'a backup pin connects',
    run: async (adapter) => {
      const [right, other] = [await mint(), await mint()];
      await withServer(adapter, right, {}, (server) =>
        connects(adapter, server, { pins: [certificateHex(other), certificateHex(right)] }),
      );
    },
  },
  {
    name: 'another key under the same name is refused',
    run: async (adapter) => {
      const [right, impostor] = [await mint(), await mint()];
      await withServer(adapter, impostor, {}, (server) =>
        refuses(adapter, server, { pins: certificateHex(right) }, 'ERR_PIN_MISMATCH'),
      );
    },
  },
  {
    name: 'an expired certificate is refused',
    run: async (adapter) => {
      const right = await mint({ validFromDays: -30, validToDays: -1 });
      await withServer(adapter, right, {}, (server) =>
        refuses(adapter, server, { pins: certificateHex(right) }, 'ERR_CERTIFICATE_EXPIRED'),
      );
    },
  },
  {
    name: 'an expired certificate connects where the policy accepts that',
    run: async (adapter) => {
      const right = await mint({ validFromDays: -30, validToDays: -1 });
      await withServer(adapter, right, {}, (server) =>
        connects(adapter, server, { pins: certificateHex(right), expired: 'accept' }),
      );
    },
  },
  {
    name: 'a leaf of a CA that nobody trusts connects by its pin',
    run: async (adapter) => {
      const right = await mint({ issuer: await mint({ ca: true, subject: 'CN=Unknown CA' }) });
      await withServer(adapter, right, {}, (server) => connects(adapter, server, { pins: certificateHex(right) }));
    },
  },
  {
    name: 'a certificate that its CA made for another name is refused',
    run: async (adapter) => {
      const ca = await mint({ ca: true, subject: 'CN=Trusted CA' });
      const [right, other] = [await mint({ issuer: ca }), await mint({ issuer: ca, names: ['other.example'] })];
      await withServer(adapter, other, {}, (server) =>
        refuses(adapter, server, { pins: certificateHex(right) }, 'ERR_PIN_MISMATCH', { ca: ca.certPem }),
      );
    },
  },
  {
    name: 'a certificate of a trusted CA for the right name is refused where it is not the pinned one',
    run: async (adapter) => {
      const ca = await mint({ ca: true, subject: 'CN=Trusted CA' });
      const [right, other] = [await mint({ issuer: ca }), await mint({ issuer: ca })];
      await withServer(adapter, other, {}, (server) =>
        refuses(adapter, server, { pins: certificateHex(right) }, 'ERR_PIN_MISMATCH', { ca: ca.certPem }),
      );
    },
  },
  {
    name: 'a leaf connects by the pin of the CA that signed it',
    run: async (adapter) => {
      const root = await mint({ ca: true, subject: 'CN=Pinned CA' });
      const right = await mint({ issuer: await mint({ ca: true, subject: 'CN=Intermediate', issuer: root }) });
      await withServer(adapter, right, {}, (server) => connects(adapter, server, { issuerPins: root.certPem }));
    },
  },
  {
    name: 'a forged leaf that names the pinned CA and ships its certificate is refused',
    run: async (adapter) => {
      const ca = await mint({ ca: true, subject: 'CN=Pinned CA' });
      const forged = await mint({ issuer: ca, signedBy: await mint({ ca: true, subject: 'CN=Pinned CA' }) });
      const presented = { ...forged, chainPem: forged.certPem + ca.certPem };
      await withServer(adapter, presented, {}, (server) =>
        refuses(adapter, server, { issuerPins: certificateHex(ca) }, 'ERR_CHAIN_INVALID'),
      );
    },
  },
  ...(['TLSv1.2', 'TLSv1.3'] as const).flatMap((maxVersion): ConformanceCase[] => [
    {
      name: `the right server connects four times over ${maxVersion}`,
      run: async (adapter) => {
        const right = await mint();
        await withServer(adapter, right, { maxVersion }, (server) =>
          withClient(adapter, server, { pins: certificateHex(right) }, {}, async (client) => {
            for (let connection = 1; connection <= 4; connection++) {
              await succeeds(client);
              await client.reconnect();
            }
            assert.equal(server.handshakes(), 4);
          }),
        );
      },
    },
    {
      name: `a wrong server is refused four times over ${maxVersion}`,
      run: async (adapter) => {
        const [right, impostor] = [await mint(), await mint()];
        await withServer(adapter, impostor, { maxVersion }, (server) =>
          withClient(adapter, server, { pins: certificateHex(right) }, {}, async (client) => {
            for (let connection = 1; connection <= 4; connection++) {
              await fails(adapter, client, server, 'ERR_PIN_MISMATCH');
              await client.reconnect();
            }
          }),
        );
      },
    },
    {
      name: `an impostor that can resume the right server's sessions is refused over ${maxVersion}`,
      run: async (adapter) => {
        const ca = await mint({ ca: true, subject: 'CN=Trusted CA' });
        const [right, impostor] = [await mint({ issuer: ca }), await mint({ issuer: ca })];
        await withServer(adapter, right, { maxVersion }, (server) =>
          withClient(
            adapter,
            server,
            { pins: certificateHex(right) },
            { ca: ca.certPem, maxVersion },
            async (client) => {
              await succeeds(client);
              server.present(impostor);
              for (let connection = 2; connection <= 4; connection++) {
                await client.reconnect();
                await fails(adapter, client, server, 'ERR_PIN_MISMATCH');
              }
              server.present(right);
              await client.reconnect();
              await succeeds(client);
            },
          ),
        );
      },
    },
    {
      name: `with own sessions, the right server is resumed, and shows its certificate at the first connection, over ${maxVersion}`,
      needs: ['own sessions'],
      run: async (adapter) => {
        const right = await mint();
        await withServer(adapter, right, { maxVersion }, (server) =>
          withClient(
            adapter,
            server,
            { pins: certificateHex(right), resumption: 'own' },
            { maxVersion },
            async (client) => {
              for (let connection = 1; connection <= 3; connection++) {
                await succeeds(client);
                await client.reconnect();
              }
              const later = adapter.keepsConfiguration !== false;
              assert.deepEqual(server.resumptions, [false, later, later]);
            },
          ),
        );
      },
    },
    {
      name: `with own sessions, a wrong server cannot resume them and is refused, and what was kept is dropped, over ${maxVersion}`,
      needs: ['own sessions'],
      run: async (adapter) => {
        const [right, impostor] = [await mint(), await mint()];
        await withServer(adapter, right, { maxVersion }, (server) =>
          withClient(
            adapter,
            server,
            { pins: certificateHex(right), resumption: 'own' },
            { maxVersion },
            async (client) => {
              await succeeds(client);
              server.present(impostor);
              server.server.setTicketKeys(randomBytes(48)); // its own
              for (let connection = 2; connection <= 4; connection++) {
                await client.reconnect();
                await fails(adapter, client, server, 'ERR_PIN_MISMATCH');
              }
              server.present(right);
              await client.reconnect();
              await succeeds(client);
              assert.equal(server.resumptions.at(-1), false);
            },
          ),
        );
      },
    },
  ]),
  {
    name: 'with own sessions, one of another pin set is never used',
    needs: ['own sessions'],
    run: async (adapter) => {
      const [right, other] = [await mint(), await mint()];
      await withServer(adapter, right, {}, async (server) => {
        await withClient(adapter, server, { pins: certificateHex(right), resumption: 'own' }, {}, succeeds);
        server.forget();
        await refuses(adapter, server, { pins: certificateHex(other), resumption: 'own' }, 'ERR_PIN_MISMATCH');
        assert.ok(!server.resumptions.includes(true));
      });
    },
  },
  {
    name: 'a connection that was verified is used again, and only that one',
    run: async (adapter) => {
      const [right, impostor] = [await mint(), await mint()];
      await withServer(adapter, right, {}, (server) =>
        withClient(adapter, server, { pins: certificateHex(right) }, {}, async (client) => {
          await succeeds(client);
          await succeeds(client);
          assert.equal(server.handshakes(), adapter.pools ? 1 : 2);
          server.present(impostor);
          await client.reconnect();
          await fails(adapter, client, server, 'ERR_PIN_MISMATCH');
        }),
      );
    },
  },
  {
    name: 'the server name is sent for a name and never for an address',
    run: async (adapter) => {
      const right = await mint();
      await withServer(adapter, right, {}, async (server) => {
        await connects(adapter, { ...server, host: '127.0.0.1' }, { pins: certificateHex(right) });
        await connects(adapter, { ...server, host: 'localhost' }, { pins: certificateHex(right) });
        assert.deepEqual(server.servernames, [false, 'localhost']);
      });
    },
  },
  {
    name: 'mutual TLS works beside a pin',
    run: async (adapter) => {
      const [right, clientCa] = [await mint(), await mint({ ca: true, subject: 'CN=Client CA' })];
      const own = await mint({ subject: 'CN=client', issuer: clientCa });
      const demand = { requestCert: true, rejectUnauthorized: true, ca: clientCa.certPem };
      const tls = { cert: own.certPem, key: own.keyPem };
      await withServer(adapter, right, demand, async (server) => {
        await connects(adapter, server, { pins: certificateHex(right) }, tls);
        server.forget();
        await refuses(adapter, server, { pins: certificateHex(clientCa) }, 'ERR_PIN_MISMATCH', tls);
      });
    },
  },
  {
    name: 'a server that offers nothing newer than TLS 1.1 gets nothing',
    run: async (adapter) => {
      const right = await mintRsa();
      const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      await withServer(adapter, right, old, (server) =>
        refuses(adapter, server, { pins: certificateHex(right) }, undefined),
      );
    },
  },
  {
    name: 'ten refusals at once bring nothing down',
    run: async (adapter) => {
      const [right, impostor] = [await mint(), await mint()];
      await withServer(adapter, impostor, {}, (server) =>
        withClient(adapter, server, { pins: certificateHex(right) }, {}, async (client) => {
          await Promise.all(Array.from({ length: 10 }, () => fails(adapter, client, server, 'ERR_PIN_MISMATCH')));
        }),
      );
    },
  },
  {
    name: 'a certificate whose serial number hides the pinned key is refused',
    run: async (adapter) => {
      const right = await mint();
      const impostor = await mintWithHiddenKey(right);
      await withServer(adapter, impostor, {}, async (server) =>
        refuses(adapter, server, { pins: await publicKeyPin(right) }, 'ERR_PIN_MISMATCH'),
      );
      await withServer(adapter, impostor, {}, async (server) =>
        connects(adapter, server, { pins: [await publicKeyPin(impostor), certificateHex(right)] }),
      );
    },
  },
  {
    name: "a Host header chooses no other host's pins",
    needs: ['host header', 'hosts'],
    run: (adapter) =>
      meetStranger(adapter, 'ERR_PIN_MISMATCH', ({ right, stranger }) => ({
        hosts: { localhost: { pins: right }, '127.0.0.1': { pins: right }, [STRANGER]: { pins: stranger } },
      })),
  },
  {
    name: 'a Host header gives no pins to a host that has none',
    needs: ['host header', 'hosts'],
    run: (adapter) =>
      meetStranger(adapter, 'ERR_HOST_UNPINNED', ({ stranger }) => ({ hosts: { [STRANGER]: { pins: stranger } } })),
  },
  {
    name: 'a Host header does not lead a pinned host to the ordinary verification',
    needs: ['host header', 'hosts'],
    run: (adapter) =>
      meetStranger(adapter, 'ERR_PIN_MISMATCH', ({ right }) => ({
        hosts: { localhost: { pins: right }, '127.0.0.1': { pins: right } },
        otherHosts: 'verify',
      })),
  },
  {
    name: 'a Host header is not the name that the ordinary verification verifies',
    needs: ['host header', 'hosts'],
    run: (adapter) =>
      meetStranger(adapter, 'ERR_TLS_CERT_ALTNAME_INVALID', ({ stranger }) => ({
        hosts: { [STRANGER]: { pins: stranger } },
        otherHosts: 'verify',
      })),
  },
  {
    name: 'a Host header is not the name that the leaf of a pinned CA is verified by',
    needs: ['host header'],
    run: (adapter) => meetStranger(adapter, 'ERR_HOSTNAME_MISMATCH', ({ ca }) => ({ issuerPins: ca })),
  },
  {
    name: 'a Host header changes nothing about a pin',
    needs: ['host header'],
    run: (adapter) => meetStranger(adapter, 'ERR_PIN_MISMATCH', ({ right }) => ({ pins: right })),
  },
  {
    name: 'a server name of the configuration decides where the dialled host has no entry',
    needs: ['hosts'],
    run: async (adapter) => {
      const [right, other] = [await mint(), await mint()];
      await meetNamed(adapter, right, { [NAMED]: { pins: certificateHex(right) } }, 'connects');
      await meetNamed(adapter, other, { [NAMED]: { pins: certificateHex(right) } }, 'ERR_PIN_MISMATCH');
    },
  },
  {
    name: 'the dialled host decides where the server name of the configuration has no entry',
    needs: ['hosts'],
    run: async (adapter) => {
      const [right, other] = [await mint(), await mint()];
      await meetNamed(adapter, right, { '127.0.0.1': { pins: certificateHex(right) } }, 'connects');
      await meetNamed(adapter, other, { '127.0.0.1': { pins: certificateHex(right) } }, 'ERR_PIN_MISMATCH');
    },
  },
  {
    name: 'where server name and dialled host both have an entry, both must agree',
    needs: ['hosts'],
    run: async (adapter) => {
      const [one, two] = [await mint(), await mint()];
      const [pins, others] = [certificateHex(one), certificateHex(two)];
      await meetNamed(adapter, one, { [NAMED]: { pins }, '127.0.0.1': { pins: [others, pins] } }, 'connects');
      const contrary = { [NAMED]: { pins }, '127.0.0.1': { pins: others } };
      for (const presented of [one, two]) await meetNamed(adapter, presented, contrary, 'ERR_PIN_MISMATCH');
    },
  },
  {
    name: 'a host that neither its name nor the server name of the configuration has an entry for gets nothing',
    needs: ['hosts'],
    run: async (adapter) => {
      const right = await mint();
      await meetNamed(adapter, right, { 'other.example': { pins: certificateHex(right) } }, 'ERR_HOST_UNPINNED');
    },
  },
  {
    name: 'a copy of a policy with live pins follows them',
    needs: ['live pins'],
    run: (adapter) => meetRevoked(adapter, (policy) => ({ ...policy }) as SuitePolicy),
  },
  {
    name: 'a copy of a policy with live pins follows them in `hosts`',
    needs: ['live pins', 'hosts'],
    run: (adapter) => meetRevoked(adapter, (policy) => ({ hosts: { '127.0.0.1': { ...policy } as never } })),
  },
];

/**
 * The stranger whose name is in the header is refused, and the right server is not, whatever the header says. Both certificates are from a
 * CA that the client trusts.
 *
 * @param code the error of the refusal. Under `ERR_HOST_UNPINNED`, no server is the right one
 */
async function meetStranger(
  adapter: ObservedAdapter,
  code: string,
  policyOf: (pins: Readonly<Record<'ca' | 'right' | 'stranger', string>>) => SuitePolicy,
): Promise<void> {
  const ca = await mint({ ca: true, subject: 'CN=Trusted CA' });
  const [right, stranger] = [await mint({ issuer: ca }), await mint({ issuer: ca, names: [STRANGER] })];
  const policy = policyOf({ ca: ca.certPem, right: certificateHex(right), stranger: certificateHex(stranger) });
  const tls = { ca: ca.certPem };
  await withServer(adapter, stranger, {}, async (server) => {
    for (const host of ['localhost', '127.0.0.1'])
      for (const header of [STRANGER, `${STRANGER}:${server.port}`]) {
        const use = (client: SuiteClient) => fails(adapter, client, server, code);
        await withClient(adapter, { ...server, host }, policy, tls, use, header);
      }
    if (code === 'ERR_HOST_UNPINNED') return;
    server.present(right);
    for (const host of ['localhost', '127.0.0.1'])
      await withClient(adapter, { ...server, host }, policy, tls, succeeds, STRANGER);
    // Compressed over HTTP/2. A client that drops the header would prove nothing.
    if (adapter.protocol === 'tls') assert.match(server.receivedText(), new RegExp(`host: ${STRANGER}\\r\\n`, 'i'));
  });
}

/** A server that is dialled at 127.0.0.1, under a server name that the configuration gives. */
function meetNamed(
  adapter: ObservedAdapter,
  presented: Minted,
  hosts: NonNullable<SuitePolicy['hosts']>,
  outcome: 'connects' | 'ERR_PIN_MISMATCH' | 'ERR_HOST_UNPINNED',
): Promise<void> {
  const tls = { servername: NAMED };
  return withServer(adapter, presented, {}, (server) =>
    outcome === 'connects'
      ? connects(adapter, server, { hosts }, tls)
      : refuses(adapter, server, { hosts }, outcome, tls),
  );
}

/** The pin of a server is taken away and given back, while a client uses the policy. */
async function meetRevoked(adapter: ObservedAdapter, copy: (policy: SuiteHostPolicy) => SuitePolicy): Promise<void> {
  if (adapter.createLivePolicy === undefined) throw new Error(`${adapter.name} has no live pins, and does not say so`);
  const [right, next] = [await mint(), await mint()];
  const { policy, set } = adapter.createLivePolicy(certificateHex(right));
  await withServer(adapter, right, {}, (server) =>
    withClient(adapter, server, copy(policy), {}, async (client) => {
      await succeeds(client);
      await client.reconnect();
      set(certificateHex(next));
      server.forget();
      await fails(adapter, client, server, 'ERR_PIN_MISMATCH');
      server.present(next);
      await client.reconnect();
      await succeeds(client);
    }),
  );
}

/** The certificate with an RSA key, which takes long to make: one for all adapters. */
function mintRsa(): Promise<Minted> {
  rsa ??= mint({ keyType: 'rsa' });
  return rsa;
}
let rsa: Promise<Minted> | undefined;

async function withServer(
  adapter: SuiteAdapter,
  certificate: Minted,
  options: Omit<CountingServerOptions, 'certificate' | 'onSocket'>,
  use: (server: CountingServer) => Promise<void>,
): Promise<void> {
  const server = await adapter.startServer({ certificate, ...options });
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

async function withClient(
  adapter: SuiteAdapter,
  server: SuiteTarget,
  policy: SuitePolicy,
  tls: SuiteTls,
  use: (client: SuiteClient) => Promise<void>,
  hostHeader?: string,
): Promise<void> {
  const client = adapter.createClient({ host: server.host, port: server.port }, policy, tls, hostHeader);
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

function connects(adapter: SuiteAdapter, server: SuiteTarget, policy: SuitePolicy, tls: SuiteTls = {}): Promise<void> {
  return withClient(adapter, server, policy, tls, succeeds);
}

function refuses(
  adapter: ObservedAdapter,
  server: CountingServer,
  policy: SuitePolicy,
  code: string | undefined,
  tls: SuiteTls = {},
): Promise<void> {
  return withClient(adapter, server, policy, tls, (client) => fails(adapter, client, server, code));
}

async function succeeds(client: SuiteClient): Promise<void> {
  try {
    await client.exchange();
  } catch (error) {
    throw new ConformanceFailure(
      'refused-the-right-server',
      String((error as Error).message).split('\n')[0] ?? '',
      error,
    );
  }
}

async function fails(
  adapter: ObservedAdapter,
  client: SuiteClient,
  server: CountingServer,
  code: string | undefined,
): Promise<void> {
  const outcome = await client.exchange().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  // Bytes that are on their way get time to arrive: a client that sent them must not go unnoticed.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const leaked = server.received();
  adapter.onWrongServer(leaked);
  if (leaked > 0) {
    const seen = server.receivedText().includes(CANARY) ? ', the password among them' : '';
    throw new ConformanceFailure('leaked', `${leaked} application bytes reached the wrong server${seen}`);
  }
  if (outcome === undefined) throw new ConformanceFailure('accepted-the-wrong-server', 'the exchange went through');
  if (code === undefined || codesOf(outcome.error).includes(code)) return;
  const message = `expected ${code}, found ${codesOf(outcome.error).join(' < ') || String(outcome.error)}`;
  throw new ConformanceFailure('wrong-error', message, outcome.error);
}

/** The codes of an error and of everything that it wraps. */
export function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  for (let next = error; typeof next === 'object' && next !== null; ) {
    const { code, cause, originalError } = next as { code?: unknown; cause?: unknown; originalError?: unknown };
    if (typeof code === 'string') codes.push(code);
    next = cause ?? originalError;
  }
  return codes;
}

/** What came of one case. */
export interface CaseResult {
  readonly case: string;
  /** undefined: passed. */
  readonly failure: FailureKind | undefined;
  readonly message: string;
  /** Exceptions and rejections that nobody handled while the case ran: each would have ended the process. */
  readonly uncaught: readonly string[];
}

/**
 * Runs every case outside a test runner, and reports instead of failing: for techniques that are expected to fail. Run it in a process of
 * its own, because it must survive what the technique throws.
 */
export async function runConformance(adapter: SuiteAdapter): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  let uncaught: string[] = [];
  const note = (error: unknown): void => {
    uncaught.push(String((error as Error).message));
  };
  process.on('uncaughtException', note).on('unhandledRejection', note);
  for (const { name, run } of conformanceCases.filter((each) => whyNotRun(adapter, each) === undefined)) {
    uncaught = [];
    const failure = await Promise.race([
      run({ ...adapter, onWrongServer: () => undefined }).then(
        () => undefined,
        (error: unknown) => error as Error,
      ),
      new Promise<Error>((resolve) => setTimeout(resolve, 5_000, new Error('no end within 5 s')).unref()),
    ]);
    const kind = failure === undefined ? undefined : failure instanceof ConformanceFailure ? failure.kind : 'other';
    results.push({ case: name, failure: kind, message: failure?.message ?? '', uncaught });
  }
  process.off('uncaughtException', note).off('unhandledRejection', note);
  return results;
}
