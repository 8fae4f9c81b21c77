// The demonstrations are programs that people read and run. Here they tell their story, and each scene of it has to come in its order.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A demonstration starts its servers and ends in seconds. One that is still running after this time hangs. */
const LIMIT_MS = 120_000;

/** @param main from the folder `examples`. @returns what it says */
export async function runDemo(main: string): Promise<string> {
  const path = fileURLToPath(new URL(`../${main}`, import.meta.url));
  const env = { ...process.env, NO_COLOR: '1' };
  const how = { env, timeout: LIMIT_MS };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path], how);
  assert.equal(stderr, '');
  return stdout;
}

/** Each scene, in this order. */
export function assertStory(text: string, story: readonly RegExp[]): void {
  let rest = text;
  for (const scene of story) {
    const found = scene.exec(rest);
    assert.ok(found, `${scene} is missing in:\n${text}`);
    rest = rest.slice(found.index + found[0].length);
  }
}
