import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeOf } from '../../packages/auth0/test/nodes.ts';
import { assertStory } from './story.ts';

const main = fileURLToPath(new URL('../watch-demo/main.ts', import.meta.url));

/** Runs the demonstration. @param onText is called with all that it has said, each time it says more */
async function run(args: readonly string[], onText: (text: string, interrupt: () => void) => void = () => undefined) {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], { env: { ...process.env, NO_COLOR: '1' } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (part) => {
    stdout += part;
    onText(stdout, () => child.kill('SIGINT'));
  });
  child.stderr.on('data', (part) => {
    stderr += part;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { stdout, stderr, code };
}

nodeOf(22); // where it is missing, what npm says of it belongs to no story

describe('the demonstration of watch', { concurrency: true }, () => {
  it('tells the whole story, and ends by itself', async () => {
    const { stdout, stderr, code } = await run([]);
    assert.deepEqual([stderr, code], ['', 0]);
    assertStory(stdout, [
      /Five servers, and a watcher of them/,
      /✓ the pages: http:\/\/127\.0\.0\.1:\d+\/\n/,
      /A rotation as planned/,
      /✓ holds → rotated: /,
      /Another certificate/,
      /✓ holds → drift: the presented certificate is none of the pinned ones/,
      /A server falls silent/,
      /✓ holds → unreachable: connection refused/,
      /A certificate ends/,
      /✓ ends-soon → expired: the validity of the certificate ended/,
      /What people are told[\s\S]*certpin: [\s\S]*drift \(before: holds\)[\s\S]*Next: get the true hashes over another channel/,
      /certpin watch status[\s\S]*drift +127[\s\S]*certpin: summary: 5 targets/,
      /The watcher has ended with 0, and the servers are shut down/,
    ]);
    const [, folder = ''] = /configuration: (.+)/.exec(stdout) ?? [];
    assert.ok(folder !== '' && !existsSync(folder), 'nothing stays behind');
  });

  it('with --stay the pages can be read until Ctrl-C', async () => {
    let page: Promise<string> | undefined;
    const { stdout, stderr, code } = await run(['--stay'], (text, interrupt) => {
      const [, url] = /The pages stay until Ctrl-C: (\S+)\n/.exec(text) ?? [];
      if (url === undefined || page !== undefined) return;
      page = fetch(url).then((answer) => answer.text());
      void page.finally(interrupt);
    });
    assert.deepEqual([stderr, code], ['', 0], stdout);
    assert.match((await page) ?? '', /4 targets need a person/);
    assert.match(stdout, /The watcher has ended with 0/);
  });
});
