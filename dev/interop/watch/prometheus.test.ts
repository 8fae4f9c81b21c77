// The accident this prevents: Prometheus cannot scrape the watcher, an alert does not fire, or a panel of the dashboard stays empty.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { mint } from '@certpin/testkit';
import { requirePackage } from '@certpin/testkit/debian';
import { addTransition, makeStore, serve } from '../../../packages/watch/test/pages/fixture.ts';
import { makeSample } from '../../../packages/watch/test/pages/sample.ts';
import { get } from '../../../packages/watch/test/server/ask.ts';

const monitoring = fileURLToPath(new URL('../../../packages/watch/monitoring/', import.meta.url));
const promtool = requirePackage('prometheus', 'promtool');
const TOKEN = 'correct-horse-battery-staple-42';

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
}

test('promtool finds no fault in the metrics, and the rules fire where they should', async (t) => {
  const { url } = await serve(t, await makeSample(t));
  const { body } = await get(url, '/metrics');
  execFileSync(promtool, ['check', 'metrics'], { input: body });
  execFileSync(promtool, ['check', 'rules', join(monitoring, 'certpin.rules.yml')]);
  execFileSync(promtool, ['test', 'rules', fileURLToPath(new URL('rules.test.yml', import.meta.url))]);
});

test('promtool finds a fault where there is one: the check can fail', () => {
  const faulty = '# HELP certpin_bad x\n# TYPE certpin_bad counter\ncertpin_bad{a="b} 1\n';
  assert.throws(() => execFileSync(promtool, ['check', 'metrics'], { input: faulty, stdio: 'pipe' }));
});

test('Prometheus scrapes over TLS with the token; each panel shows something, and the alerts fire', {
  timeout: 120_000,
}, async (t) => {
  const now = Date.now();
  const store = await makeSample(t, now);
  await addTransition(store, { key: 'db.example.com:5432', label: 'db.example.com:5432', to: 'drift', at: now });
  await store.enqueue([{ receiver: 'mail', number: 1, kind: 'transition' }], now);
  const { certPem, keyPem } = await mint();
  const tls = { certificate: certPem, key: keyPem };
  const { url } = await serve(t, store, { tls, token: TOKEN }, () => Date.now());
  const folder = mkdtempSync(join(tmpdir(), 'certpin-prometheus-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(monitoring, 'certpin.rules.yml')],
    scrape_configs: [
      {
        job_name: 'certpin',
        scheme: 'https',
        tls_config: { ca_file: join(folder, 'ca.pem') },
        authorization: { credentials_file: join(folder, 'token') },
        static_configs: [{ targets: [new URL(url).host] }],
      },
    ],
  };
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  writeFileSync(join(folder, 'ca.pem'), certPem);
  writeFileSync(join(folder, 'token'), TOKEN);
  const port = await freePort();
  const flags = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
  const child = spawn(
    requirePackage('prometheus', 'prometheus'),
    [...flags, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: 'ignore' },
  );
  t.after(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const ask = async (path: string): Promise<{ result: unknown[]; alerts: Alert[] }> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, data } = (await response.json()) as {
      status: string;
      data: { result: unknown[]; alerts: Alert[] };
    };
    assert.equal(status, 'success', path);
    return data;
  };
  const query = async (text: string): Promise<unknown[]> =>
    (await ask(`query?query=${encodeURIComponent(text)}`)).result;
  const isThere = async (text: string): Promise<boolean> => (await query(text).catch(() => [])).length > 0;
  for (
    let attempt = 0;
    !(await isThere('up{job="certpin"} == 1 and on (job) count_over_time(certpin_watch_info[1m]) > 3'));
    attempt += 1
  ) {
    assert.ok(attempt < 150, 'Prometheus has scraped nothing');
    await wait(200);
  }
  const { panels } = JSON.parse(readFileSync(join(monitoring, 'certpin.dashboard.json'), 'utf8')) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  assert.ok(panels.length > 5);
  for (const { title, targets } of panels)
    for (const { expr } of targets) assert.ok(await isThere(expr.replaceAll('$job', '.*')), `${title}: ${expr}`);
  const { alerts } = await ask('alerts');
  const fired = new Set(alerts.map(({ labels, state }) => `${labels.alertname} ${labels.target ?? ''} ${state}`));
  assert.ok(fired.has('CertpinPinDoesNotHold db.example.com:5432 firing'), [...fired].join('\n'));
  assert.ok(fired.has('CertpinCertificateEndsSoon mysql://shop.example.com firing'));
  assert.ok(fired.has('CertpinTargetUnreachable smtp://mail.example.com:587 pending'));
  assert.ok(![...fired].some((text) => /app-\d|WatchGone|ChecksLate/.test(text)), [...fired].join('\n'));
});

test('Prometheus without the token gets nothing', async (t) => {
  const { url } = await serve(t, await makeStore(t, [{ label: 'secret.example.com:443' }]), { token: TOKEN });
  const { status, body } = await get(url, '/metrics', { headers: { accept: 'application/openmetrics-text' } });
  assert.equal(status, 401);
  assert.ok(!body.includes('secret'));
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
