// The accident this prevents: if Node takes the proxy from the environment, a pinned client lets the proxy choose the connection.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { certificateHex, mint, startHttpsServer, startScriptedServer } from '@certpin/testkit';
import { findPackage } from './packages.ts';

const program = fileURLToPath(new URL('env-proxy.mjs', import.meta.url));
const [right, impostor] = [await mint(), await mint()];
const skip = process.allowedNodeEnvironmentFlags.has('--use-env-proxy')
  ? false
  : 'this Node knows no NODE_USE_ENV_PROXY';

for (const mode of ['unpinned', 'import', 'require'] as const) {
  const name = {
    unpinned: 'without certpin, the proxy of the environment is asked: it is in force',
    import: 'import: pinned clients go to the pinned server themselves, and the proxy gets no byte',
    require: 'require: pinned clients go to the pinned server themselves, and the proxy gets no byte',
  }[mode];
  test(name, { skip, timeout: 30_000 }, async (t) => {
    const server = await startHttpsServer({ certificate: right });
    t.after(server.close);
    const wrong = await startHttpsServer({ certificate: impostor });
    t.after(wrong.close);
    const proxy = await startScriptedServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    });
    t.after(proxy.close);
    const target = {
      mode,
      right: `https://127.0.0.1:${server.port}/login`,
      wrong: `https://127.0.0.1:${wrong.port}/login`,
      pins: certificateHex(right),
      axios: findPackage('axios')?.folder,
      undici: findPackage('undici-6')?.folder,
    };
    const address = `http://127.0.0.1:${proxy.port}`;
    const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];
    const env = {
      ...process.env,
      ...Object.fromEntries(names.map((variable) => [variable, address])),
      NODE_USE_ENV_PROXY: '1',
      NO_PROXY: '',
      no_proxy: '',
    };
    const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(target)], { env });
    const outcomes = JSON.parse(stdout);
    const asked = proxy.received().toString('latin1');
    if (mode === 'unpinned') {
      assert.equal(asked.match(/^CONNECT 127\.0\.0\.1:/gm)?.length, 2, 'by node:https and by fetch');
      return;
    }
    const answer = 'POST /login secret';
    assert.deepEqual(outcomes, {
      // Then the global dispatcher is a proxy agent, and the built-in Agent cannot be obtained: a refusal, and no request.
      right: { agent: answer, axios: answer, fetch: 'ERR_CLIENT_UNSUPPORTED', undici: answer },
      wrong: {
        agent: 'ERR_PIN_MISMATCH',
        axios: 'ERR_PIN_MISMATCH',
        fetch: 'ERR_CLIENT_UNSUPPORTED',
        undici: 'ERR_PIN_MISMATCH',
      },
    });
    assert.equal(asked, '');
    assert.equal(wrong.received(), 0);
  });
}
