import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateHex, mint, startTlsServer } from '@certpin/testkit';
import { get, page } from '../server/ask.ts';
import { makeAddress, makeStore, serve } from './fixture.ts';

const program = fileURLToPath(new URL('../../../cli/bin/certpin.cjs', import.meta.url));

/** A pins file of one real server that is going to change its certificate, and the page of it. */
export async function makeRotation(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'certpin rotation '));
  t.after(() => rmSync(folder, { recursive: true }));
  const [old, next] = [await mint({ validToDays: 90 }), await mint({ validToDays: 200 })];
  const server = await startTlsServer({ certificate: old });
  t.after(server.close);
  const file = join(folder, 'certpin.json');
  const label = `${server.host}:${server.port}`;
  writeFileSync(
    file,
    JSON.stringify({ version: 2, targets: [{ id: 'db', target: label, pins: [certificateHex(old)] }] }),
  );
  writeFileSync(join(folder, 'next.crt'), next.certPem);
  const run = async (line: string): Promise<string> => {
    const shell = `certpin() { '${process.execPath}' '${program}' "$@"; }; ${line}`;
    const child = spawn('/bin/sh', ['-c', shell], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (said += part));
    const [code] = await once(child, 'close');
    assert.equal(code, 0, `${line}\n${said}`);
    return said;
  };
  await run('certpin rotate start db --next next.crt --settle 3h');
  const rotations = join(folder, 'certpin.rotations.json');
  const read = () => JSON.parse(readFileSync(rotations, 'utf8')).rotations[0];
  const pins = [certificateHex(old), certificateHex(next)];
  const addresses = pins.map((pin, index) => makeAddress({ address: `192.0.2.${index}`, pin }));
  let now = Date.now();
  const store = await makeStore(
    t,
    [{ key: read().key, label, id: 'db', pins, state: 'mixed', seen: { addresses } }],
    now,
  );
  await store.recordWatcher({ pinsFile: file });
  const { url } = await serve(t, store, {}, () => now);
  const path = `?key=${encodeURIComponent(read().key)}`;
  return {
    ...{ url, path: `/target${path}` },
    ...{ file, rotations, pins, read, run, server, nextCertificate: next },
    json: async () => JSON.parse((await get(url, `/target.json${path}`)).body),
    html: async () => (await get(url, `/target${path}`, { headers: page })).body,
    /** As if so much time had passed, for the commands. */
    pass: (milliseconds: number): void => {
      const earlier = (text: string): string => new Date(Date.parse(text) - milliseconds).toISOString();
      writeFileSync(rotations, readFileSync(rotations, 'utf8').replace(/(?<="(?:at|startedAt)": ")[^"]+/g, earlier));
    },
    /** From now on, the pages are made at this moment. */
    standAt: (moment: number): void => {
      now = moment;
    },
  };
}
