// The accident this prevents: Prometheus does not read the metrics that a nightly check has written.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { certificateHex, mint, startTlsServer } from '@certpin/testkit';
import { requirePackage } from '@certpin/testkit/debian';

const command = fileURLToPath(new URL('../../packages/cli/bin/certpin.cjs', import.meta.url));

test('promtool finds no fault in the metrics of a check', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-metrics-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const certificate = await mint();
  const server = await startTlsServer({ certificate });
  t.after(server.close);
  const [file, metrics] = [join(folder, 'certpin.json'), join(folder, 'certpin.prom')];
  const target = `${server.host}:${server.port}`;
  const targets = [
    { target, pins: [certificateHex(certificate)] },
    { target: 'unknown.invalid:443', note: 'a "quoted" \\ note', pins: ['A'.repeat(64)] },
  ];
  writeFileSync(file, JSON.stringify({ version: 1, targets }));
  const check = ['check', '--file', file, '--openmetrics', metrics];
  // One target does not answer, so the command ends with 2; the metrics tell of both.
  await promisify(execFile)(process.execPath, [command, ...check]).catch(() => undefined);
  const promtool = requirePackage('prometheus', 'promtool');
  execFileSync(promtool, ['check', 'metrics'], { input: readFileSync(metrics) });
});
