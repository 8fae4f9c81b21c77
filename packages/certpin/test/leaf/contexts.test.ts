import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, createPrivateKey } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import tls, { createSecureContext } from 'node:tls';
import { type Minted, mint } from '@certpin/testkit';
import { createContexts } from '../../src/leaf/contexts.ts';

const [client, other] = [await mint(), await mint()];

function pfxOf({ certPem, keyPem }: Minted): Buffer {
  const file = join(tmpdir(), `certpin-pfx-${process.pid}.pem`);
  writeFileSync(file, `${keyPem}\n${certPem}`, { mode: 0o600 });
  try {
    return execFileSync('openssl', ['pkcs12', '-export', '-in', file, '-passout', 'pass:']);
  } finally {
    rmSync(file);
  }
}

describe('a secure context is shared', () => {
  it('by connections of one configuration with the same options, and by no others', () => {
    const contextFor = createContexts();
    const { certPem: cert, keyPem: key } = client;
    const different = [
      {},
      { minVersion: 'TLSv1.3' as const },
      { cert, key },
      { cert, key: [key] },
      { cert: other.certPem, key: other.keyPem },
      { ca: client.certPem },
      { ca: [client.certPem, other.certPem] },
      { ca: Buffer.from(other.certPem) },
      { ca: new DataView(Uint8Array.from(Buffer.from(client.certPem + other.certPem)).buffer) as never },
      { ca: client.certPem, allowPartialTrustChain: true },
      { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      { ecdhCurve: 'P-384' },
      { sigalgs: 'ECDSA+SHA384' },
      { maxVersion: 'TLSv1.2' as const },
      { secureOptions: constants.SSL_OP_NO_TICKET },
    ];
    const made = different.map((options) => contextFor({ ...options }).secureContext);
    assert.ok(!made.includes(undefined));
    assert.equal(new Set(made).size, different.length);
    different.forEach((options, index) => {
      assert.equal(contextFor({ ...options }).secureContext, made[index], JSON.stringify(Object.keys(options)));
    });
    const ofAnother = createContexts()({ ca: client.certPem }).secureContext;
    assert.notEqual(ofAnother, contextFor({ ca: client.certPem }).secureContext, 'another configuration');
  });

  it('by all configurations where it holds nothing of the client', () => {
    assert.equal(createContexts()({}).secureContext, createContexts()({}).secureContext);
    assert.equal(createContexts()({ host: 'a' }).secureContext, createContexts()({ port: 1 }).secureContext);
    const { certPem: cert, keyPem: key } = client;
    assert.notEqual(createContexts()({ cert, key }).secureContext, createContexts()({ cert, key }).secureContext);
  });

  it('by the items of a list, not by the text that they make together', () => {
    const contextFor = createContexts();
    const [one, two] = [client.certPem, other.certPem];
    // Of the first one, OpenSSL reads one certificate: the second block does not begin a line.
    const ofText = contextFor({ ca: [`${one},${two}`] }).secureContext;
    assert.notEqual(contextFor({ ca: [one, two] }).secureContext, ofText);
    assert.notEqual(contextFor({ ca: [[one, two].join('')] }).secureContext, ofText);
  });

  it('with all that the client has given: its passphrase opens its key, and its CRL is read', () => {
    const { certPem: cert, keyPem } = client;
    const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' } as const;
    const key = createPrivateKey(keyPem).export(options).toString();
    const contextFor = createContexts();
    assert.ok(contextFor({ cert, key, passphrase: 'open' }).secureContext);
    assert.throws(() => contextFor({ cert, key, passphrase: 'shut' }));
    assert.throws(() => contextFor({ ca: cert, crl: 'no list' }), /CRL/i);
  });

  it('until an option changes in place: a key that is renewed is used at once', () => {
    const contextFor = createContexts();
    const key = Buffer.from(client.keyPem);
    const ca = [client.certPem];
    const before = contextFor({ ca }).secureContext;
    ca.push(other.certPem);
    assert.notEqual(contextFor({ ca }).secureContext, before);
    const withKey = contextFor({ key }).secureContext;
    key.set(Buffer.from(other.keyPem.slice(0, key.length)));
    assert.notEqual(contextFor({ key }).secureContext, withKey);
    const list = [{ pem: client.keyPem }];
    const withList = contextFor({ key: list }).secureContext;
    list[0] = { pem: other.keyPem };
    assert.notEqual(contextFor({ key: list }).secureContext, withList);
  });

  it('until a default of Node changes, which a program may set while it runs', (t) => {
    const contextFor = createContexts();
    const before = contextFor({}).secureContext;
    const { DEFAULT_CIPHERS, DEFAULT_ECDH_CURVE, DEFAULT_MAX_VERSION } = tls;
    const defaults = { DEFAULT_CIPHERS, DEFAULT_ECDH_CURVE, DEFAULT_MAX_VERSION };
    t.after(() => Object.assign(tls, defaults));
    for (const changed of [
      { DEFAULT_CIPHERS: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      { DEFAULT_ECDH_CURVE: 'P-384' },
      { DEFAULT_MAX_VERSION: 'TLSv1.2' as const },
    ]) {
      Object.assign(tls, changed);
      assert.notEqual(contextFor({}).secureContext, before, JSON.stringify(changed));
      Object.assign(tls, defaults);
      assert.equal(contextFor({}).secureContext, before);
    }
  });

  it('by what an option is, not by what it says of itself in JSON', (t) => {
    const contextFor = createContexts();
    const secret = (text: string) => Object.assign(Buffer.from(text), { toJSON: () => '[secret]' });
    const first = contextFor({ key: secret(client.keyPem) }).secureContext;
    assert.notEqual(contextFor({ key: secret(other.keyPem) }).secureContext, first);
    class Key {
      readonly #text: string;
      constructor(text: string) {
        this.#text = text;
      }
      get pem(): string {
        return this.#text;
      }
    }
    const [one, two] = [client, other].map(({ keyPem }) => contextFor({ key: [new Key(keyPem)] }).secureContext);
    assert.notEqual(one, two);
    const protectedBy = (passphrase: string) => contextFor({ key: [{ pem: client.keyPem, passphrase }] }).secureContext;
    assert.notEqual(protectedBy('one'), protectedBy('two'));
    const [ofClient, ofOther] = [client, other].map((minted) => contextFor({ pfx: [{ buf: pfxOf(minted) }] } as never));
    assert.notEqual(ofClient?.secureContext, ofOther?.secureContext);
    // As an old library does.
    Object.defineProperty(Array.prototype, 'toJSON', { value: () => 'list', configurable: true });
    t.after(() => delete (Array.prototype as { toJSON?: unknown }).toJSON);
    assert.notEqual(
      contextFor({ ca: [client.certPem] }).secureContext,
      contextFor({ ca: [other.certPem] }).secureContext,
    );
    assert.notEqual(contextFor({}).secureContext, contextFor({ minVersion: 'TLSv1.3' }).secureContext);
  });

  it('not where one is given, nor where it has a state outside of Node', () => {
    for (const options of [
      ...[{ secureContext: createSecureContext() }, { clientCertEngine: 'x' }, { privateKeyEngine: 'x' }],
      ...[{ privateKeyIdentifier: 'x' }, { secureProtocol: 'TLS_method' }],
    ])
      assert.deepEqual(createContexts()(options as object), {}, JSON.stringify(Object.keys(options)));
  });

  it('and gets nothing that is not compared: it would be in the connections of others', () => {
    const ciphers = 'ECDHE-ECDSA-AES256-GCM-SHA384'; // no other test asks for these alone
    const ticketKeys = Buffer.alloc(48, 7);
    const { secureContext } = createContexts()({ ciphers, ticketKeys } as object);
    const { context } = secureContext as unknown as { context: { getTicketKeys(): Buffer } };
    assert.notDeepEqual(context.getTicketKeys(), ticketKeys);
  });

  it('and gets nothing from Object.prototype', (t) => {
    const ticketKeys = Buffer.alloc(48, 7);
    Object.defineProperty(Object.prototype, 'ticketKeys', { value: ticketKeys, configurable: true });
    t.after(() => delete (Object.prototype as { ticketKeys?: unknown }).ticketKeys);
    const { secureContext } = createContexts()({ ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }); // of this test alone
    const { context } = secureContext as unknown as { context: { getTicketKeys(): Buffer } };
    assert.notDeepEqual(context.getTicketKeys(), ticketKeys);
  });

  it('without Node’s own list of CAs, unless the client’s certificate may need it', (t) => {
    const prototype = Object.getPrototypeOf(createSecureContext().context);
    const roots = t.mock.method(prototype, 'addRootCerts');
    const contextFor = createContexts();
    contextFor({ ecdhCurve: 'P-521' }); // nobody else asks for this alone
    contextFor({ key: client.keyPem });
    contextFor({ ca: client.certPem });
    assert.equal(roots.mock.callCount(), 0);
    contextFor({ cert: client.certPem, key: client.keyPem });
    contextFor({ pfx: pfxOf(client), passphrase: '' });
    assert.equal(roots.mock.callCount(), 2);
  });

  it('by sixteen sets of options at most', () => {
    const contextFor = createContexts();
    const first = contextFor({ ca: 'CA 0' }).secureContext;
    for (let index = 1; index <= 15; index++) contextFor({ ca: `CA ${index}` });
    assert.equal(contextFor({ ca: 'CA 0' }).secureContext, first);
    contextFor({ ca: 'CA 16' });
    assert.notEqual(contextFor({ ca: 'CA 0' }).secureContext, first);
  });
});
