// The accident this prevents: an alert that never fires because the metrics say something else, or cannot be read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { negotiate } from '../../src/metrics/watch-metrics.ts';
import { addTransition, DAY, makeStore, NOW, serve } from '../pages/fixture.ts';
import { makeSample } from '../pages/sample.ts';
import { get } from '../server/ask.ts';

/** The lines of one name. */
const samplesOf = (body: string, name: string): string[] =>
  body.split('\n').filter((line) => line.startsWith(`${name}{`));

test('Prometheus gets OpenMetrics, everybody else the older text', () => {
  const prometheus =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  assert.equal(negotiate(prometheus).format, 'openmetrics');
  for (const accept of [undefined, '*/*', 'text/html', 'application/openmetrics-text;q=0, text/plain'])
    assert.equal(negotiate(accept).format, 'prometheus', accept);
});

test('each target by its state, its times and its hashes, in both formats', async (t) => {
  const store = await makeSample(t);
  await addTransition(store, { key: 'db.example.com:5432', label: 'db.example.com:5432', from: 'holds', to: 'drift' });
  const { url } = await serve(t, store);
  for (const [accept, type] of [
    ['application/openmetrics-text;version=1.0.0', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    ['*/*', 'text/plain; version=0.0.4; charset=utf-8'],
  ] as const) {
    const { body, headers } = await get(url, '/metrics', { headers: { accept } });
    assert.equal(headers['content-type'], type);
    assert.ok(body.endsWith('# EOF\n'));
    const file = `file="${(await store.watcher()).pinsFile}"`;
    assert.ok(body.includes(`certpin_targets{${file},state="holds"} 24\n`));
    assert.ok(
      body.includes(`certpin_targets{${file},state="refused"} 0\n`),
      'a state that nobody is in is 0, not gone',
    );
    assert.ok(
      body.includes(`certpin_target_state{${file},target="db.example.com:5432",id="customers",state="drift"} 1\n`),
    );
    assert.ok(
      body.includes(`certpin_target_holds{${file},target="https://api.example.com",servername="api.internal"} 1\n`),
    );
    assert.ok(
      body.includes(
        `certpin_certificate_not_after_timestamp_seconds{${file},target="mysql://shop.example.com"} ${NOW / 1000 + 9 * 86_400}\n`,
      ),
    );
    assert.equal(
      samplesOf(body, 'certpin_certificate_info').filter((line) => line.includes('api.example.com')).length,
      2,
    );
    assert.ok(body.includes(`certpin_watch_info{${file},version="1.2.3"} 1\n`));
    assert.ok(body.includes(`certpin_watch_interval_seconds{${file}} 3600\n`));
    assert.ok(body.includes(`certpin_watch_changes_total{${file},state="drift"} `));
    assert.ok(body.includes(`certpin_watch_muted_targets{${file}} 1\n`));
    assert.ok(body.includes(`certpin_targets_ending{${file},within="14d"} 1\n`));
    const counter = accept.includes('openmetrics')
      ? '# TYPE certpin_watch_checks counter'
      : '# TYPE certpin_watch_checks_total counter';
    assert.ok(body.includes(`${counter}\n`));
    const names = body
      .split('\n')
      .filter((line) => line.startsWith('# TYPE'))
      .map((line) => line.split(' ')[2]);
    assert.equal(new Set(names).size, names.length, 'no name twice');
  }
});

test('with too many targets there are sums alone, and the metrics say so', async (t) => {
  const targets = Array.from({ length: 10_001 }, (_, index) => ({
    label: `h${index}.example.com:443`,
    state: index === 7 ? ('drift' as const) : ('holds' as const),
  }));
  const { url } = await serve(t, await makeStore(t, targets));
  const { body } = await get(url, '/metrics');
  assert.equal(samplesOf(body, 'certpin_target_state').length, 0);
  assert.match(body, /^certpin_targets\{[^}]*state="drift"\} 1$/m);
  assert.match(body, /^certpin_watch_target_metrics\{[^}]*\} 0$/m);
  assert.ok(body.length < 10_000);
});

test('a receiver that takes nothing is seen, by its name and by how long', async (t) => {
  const store = await makeStore(t, [{ label: 'a.example.com:443' }]);
  await addTransition(store, { key: 'a.example.com:443', label: 'a.example.com:443', at: NOW - DAY });
  await store.enqueue([{ receiver: 'mail', number: 1, kind: 'transition' }], NOW - DAY);
  const { url } = await serve(t, store);
  const { body } = await get(url, '/metrics');
  assert.match(body, /^certpin_watch_notices_waiting\{receiver="mail"\} 1$/m);
  assert.match(
    body,
    new RegExp(`^certpin_watch_notice_oldest_timestamp_seconds\\{receiver="mail"\\} ${(NOW - DAY) / 1000}$`, 'm'),
  );
});
