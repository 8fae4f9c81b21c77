import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { certificateHex, isLong, mint, startHttpsServer } from '@certpin/testkit';
import { inlineBlock, inlineClients, verifyInline } from '../../src/inline/index.ts';
import { honest } from './honest.ts';
import { scriptOf, tamperings } from './tampering.ts';

function refuseProblems(script: string, client?: string): void {
  const found = verifyInline(script);
  const problems = found.flatMap(({ problems }) => problems.map(({ line, reason }) => `${line}: ${reason}`));
  assert.deepEqual([problems, found[0]?.surroundings], [[], 'intact'], client);
}

describe('what scripts do that mean no harm is understood', () => {
  assert.ok(Object.keys(honest).length >= 40);
  for (const [name, text] of Object.entries(honest)) {
    it(name, () => {
      // The surroundings are read alike for each client: the short form takes another one for each script.
      const own = inlineClients[Object.keys(honest).indexOf(name) % inlineClients.length];
      for (const client of inlineClients) {
        if (!isLong && client !== own) continue;
        const script = text.replace('BLOCK', () => inlineBlock(client).text);
        refuseProblems(script, client);
      }
    });
  }

  it('a request through the agent of the block', () => refuseProblems(scriptOf({})));
});

describe('what defeats the block is not intact', () => {
  assert.ok(Object.keys(tamperings).length >= 150);
  for (const [name, tampering] of Object.entries(tamperings)) {
    it(name, () => {
      const [found] = verifyInline(scriptOf(tampering));
      assert.equal(found?.block, 'unmodified');
      assert.notEqual(found?.surroundings, 'intact');
      assert.ok((found?.problems.length ?? 0) > 0);
    });
  }
});

/** Runs a script in a thread, which has modules and globals of its own; its last word. */
function run(script: string): Promise<string> {
  const thread = new Worker(new URL('./impostor-thread.cjs', import.meta.url), { execArgv: [], workerData: script });
  return new Promise((resolve) => {
    const end = (outcome: unknown): void => {
      clearTimeout(giveUp);
      void thread.terminate();
      resolve(String(outcome));
    };
    // Some of them never answer, as they break what would tell them of an answer.
    const giveUp = setTimeout(end, 10_000, 'no answer');
    thread.on('message', end).on('error', end).on('exit', end);
  });
}

test('before an impostor: the block alone refuses, most of these scripts let the password out, and none of those is intact', async (t) => {
  const certificate = await mint();
  const [server, other] = await Promise.all([startHttpsServer({ certificate }), startHttpsServer({ certificate })]);
  t.after(() => Promise.all([server.close(), other.close()]));
  const clean = scriptOf({}).replaceAll('PORT', String(other.port));
  assert.equal(await run(clean), 'ERR_PIN_MISMATCH');
  assert.equal(other.received(), 0);

  const tried = Object.entries(tamperings).filter((_, index) => isLong || index % 8 === 0);
  const waiting = [...tried];
  const leaked: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, tampering] = next;
      const secret = `secret-${Buffer.from(name).toString('hex')}-`;
      const script = scriptOf(tampering)
        .replaceAll('PORT', String(server.port))
        .replaceAll('IMPOSTOR', certificateHex(certificate))
        .replace("'/?' + password", `'/?${secret}'`);
      await run(script);
      if (!server.receivedText().includes(secret)) continue;
      leaked.push(name);
      assert.notEqual(verifyInline(script)[0]?.surroundings, 'intact', name);
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  assert.ok(isLong ? leaked.length >= 80 : leaked.length > tried.length / 2, `${leaked.length}: ${leaked.join(', ')}`);
});
