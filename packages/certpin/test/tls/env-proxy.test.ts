import assert from 'node:assert/strict';
import { get } from 'node:https';
import { after, beforeEach, describe, test } from 'node:test';
import { certificateHex, mint, startHttpsServer, startScriptedServer } from '@certpin/testkit';
import { startHttpProxy, startSocksProxy } from '@certpin/testkit/proxy';
import { pinnedAgent } from '../../src/adapters/https.ts';
import { pinnedFetch } from '../../src/adapters/undici.ts';
import { probe } from '../../src/probe/index.ts';
import { environmentProxy, proxiedServers } from '../../src/tls/env-proxy.ts';

const names = ['https_proxy', 'all_proxy', 'no_proxy', 'http_proxy'].flatMap((name) => [name, name.toUpperCase()]);
const before = names.map((name) => [name, process.env[name]] as const);
const unset = (): void => {
  for (const name of names) delete process.env[name];
};
beforeEach(unset);
after(() => {
  unset();
  for (const [name, value] of before) if (value !== undefined) process.env[name] = value;
});

describe('the proxy that the environment names', () => {
  const rows: [what: string, environment: Record<string, string>, expected: string | undefined][] = [
    ['none', {}, undefined],
    ['HTTPS_PROXY', { HTTPS_PROXY: 'http://a:1' }, 'http://a:1'],
    ['the lower-case name before it', { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:1' }, 'http://b:1'],
    ['an empty value is unset', { https_proxy: '', HTTPS_PROXY: ' ', all_proxy: 'socks5://c:1' }, 'socks5://c:1'],
    ['ALL_PROXY last', { ALL_PROXY: 'socks5://c:1', HTTPS_PROXY: 'http://a:1' }, 'http://a:1'],
    ['a host and port without a scheme', { https_proxy: 'proxy.example:3128' }, 'http://proxy.example:3128'],
    [
      'not HTTP_PROXY, which a header can set in a CGI',
      { HTTP_PROXY: 'http://evil:1', http_proxy: 'http://evil:1' },
      undefined,
    ],
  ];
  for (const [what, environment, expected] of rows) {
    test(what, () => {
      Object.assign(process.env, environment);
      assert.equal(environmentProxy()?.url, expected);
    });
  }
});

describe('NO_PROXY', () => {
  const rows: [entries: string, direct: string[], proxied: string[]][] = [
    ['', [], ['example.com:443']],
    ['*', ['example.com:443', '10.0.0.1:1', '[::1]:443'], []],
    [
      'example.com',
      ['example.com:443', 'EXAMPLE.com.:443', 'api.example.com:1'],
      ['notexample.com:443', 'example.com.evil:443'],
    ],
    ['.example.com', ['api.example.com:443', 'a.b.example.com:443'], ['example.com:443', 'notexample.com:443']],
    ['*.example.com', ['api.example.com:443'], ['example.com:443']],
    ['example.com:8443', ['example.com:8443', 'api.example.com:8443'], ['example.com:443']],
    ['a.example, b.example  c.example', ['a.example:1', 'b.example:1', 'c.example:1'], ['d.example:1']],
    ['10.1.2.3', ['10.1.2.3:443', '::ffff:10.1.2.3:443'], ['10.1.2.30:443', '110.1.2.3:443']],
    ['2.3', [], ['10.1.2.3:443']],
    ['10.0.0.0/8', ['10.200.1.2:443'], ['11.0.0.1:443', 'ten.example:443']],
    ['fd00::/8', ['[fd12::1]:443'], ['[fe80::1]:443', '10.0.0.1:443']],
    ['[::1]:443', ['[0:0:0:0:0:0:0:1]:443'], ['[::1]:444']],
    ['::1', ['[::1]:443', '::1:443'], ['[::2]:443']],
    ['10.0.0.0/99,not/8,%%%', [], ['10.0.0.1:443', 'not:443']],
    // A length that is missing is not 0, which would be every server; and Node ends the process at -0.
    [
      '10.0.0.0/,10.0.0.0/-0,10.0.0.0/1e1,10.0.0.0/0x8,10.0.0.0/8/9,::/',
      [],
      ['8.8.8.8:443', '10.0.0.1:443', '[fd00::1]:443'],
    ],
    ['::/0', ['[fd00::1]:443'], ['8.8.8.8:443']],
    ['0.0.0.0/0', ['8.8.8.8:443'], ['[fd00::1]:443', 'a.example:443']],
    ['localhost', ['localhost:1'], ['127.0.0.1:1']],
  ];
  for (const [entries, direct, proxied] of rows) {
    test(`'${entries}'`, () => {
      process.env.NO_PROXY = entries;
      const isProxied = proxiedServers();
      const ask = (server: string): boolean => {
        const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(server) ?? [];
        return isProxied({ host, port });
      };
      assert.deepEqual(direct.filter(ask), [], 'direct');
      assert.deepEqual(
        proxied.filter((server) => !ask(server)),
        [],
        'through the proxy',
      );
    });
  }

  test('the lower-case name comes first, unless it is empty', () => {
    Object.assign(process.env, { NO_PROXY: 'a.example', no_proxy: 'b.example' });
    assert.deepEqual([{ host: 'a.example' }, { host: 'b.example' }].map(proxiedServers()), [true, false]);
    process.env.no_proxy = '';
    assert.deepEqual([{ host: 'a.example' }, { host: 'b.example' }].map(proxiedServers()), [false, true]);
  });
});

describe("proxy: 'env'", () => {
  test('each client goes where the environment says, and no header changes it', async (t) => {
    const certificate = await mint({ names: ['localhost', '127.0.0.1'] });
    const pins = certificateHex(certificate);
    const server = await startHttpsServer({ certificate });
    t.after(server.close);
    const proxy = await startHttpProxy();
    t.after(proxy.stop);
    process.env.HTTPS_PROXY = proxy.url;
    process.env.NO_PROXY = '127.0.0.1';
    const agent = pinnedAgent({ pins, proxy: 'env' });
    const api = pinnedFetch({ pins }, { proxy: 'env' });
    t.after(() => Promise.all([agent.destroy(), api.dispatcher.destroy()]));
    const request = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = { host: '127.0.0.1', 'x-forwarded-host': '127.0.0.1', proxy: 'http://127.0.0.1:2' };
        get({ host, port: server.port, agent, headers }, (response) => {
          response.resume().once('end', () => resolve(response.statusCode));
        }).once('error', reject);
      });
    const tunnels = (): number => proxy.log().match(/CONNECT localhost:/g)?.length ?? 0;

    assert.equal(await request('localhost'), 200);
    assert.equal((await api(`https://localhost:${server.port}/`, { headers: { host: '127.0.0.1' } })).status, 200);
    await probe(`tls://localhost:${server.port}`, { proxy: 'env' });
    assert.equal(tunnels(), 3);
    // To the server itself: the proxy could not be reached any more.
    await proxy.stop();
    assert.equal(await request('127.0.0.1'), 200);
    assert.equal((await api(`https://127.0.0.1:${server.port}/`)).status, 200);
    await probe(`tls://127.0.0.1:${server.port}`, { proxy: 'env' });
  });

  test('a SOCKS proxy of ALL_PROXY is used', async (t) => {
    const certificate = await mint({ names: ['localhost'] });
    const server = await startHttpsServer({ certificate });
    t.after(server.close);
    const socks = await startSocksProxy();
    t.after(socks.stop);
    process.env.ALL_PROXY = socks.url;
    const api = pinnedFetch({ pins: certificateHex(certificate) }, { proxy: 'env' });
    t.after(() => api.dispatcher.destroy());
    assert.equal((await api(`https://localhost:${server.port}/`)).status, 200);
    assert.deepEqual(
      socks.asked().map((asked) => asked.replace(/\d+$/, '')),
      [`3 ${Buffer.from('localhost').toString('latin1')}:`],
    );
  });

  test('what cannot be read is refused when the configuration is made, with the name of the variable and not its value', () => {
    for (const value of ['http://secret%zz@host:1', 'ftp://secret@host', 'http://']) {
      process.env.https_proxy = value;
      assert.throws(
        () => pinnedAgent({ pins: 'A'.repeat(64), proxy: 'env' }),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'ERR_OPTION_INVALID');
          assert.match(error.message, /the variable https_proxy of the environment/);
          return !error.message.includes('secret');
        },
      );
    }
  });

  test('without it, the environment is not asked', async (t) => {
    const certificate = await mint({ names: ['localhost'] });
    const server = await startHttpsServer({ certificate });
    t.after(server.close);
    const proxy = await startScriptedServer((socket) => socket.end());
    t.after(proxy.close);
    for (const name of ['https_proxy', 'HTTPS_PROXY', 'all_proxy'])
      process.env[name] = `http://127.0.0.1:${proxy.port}`;
    const api = pinnedFetch({ pins: certificateHex(certificate) });
    t.after(() => api.dispatcher.destroy());
    assert.equal((await api(`https://localhost:${server.port}/`)).status, 200);
    assert.equal(proxy.received().length, 0);
  });
});
