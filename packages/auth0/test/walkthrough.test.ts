import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { certificateHex, longOnly, mint } from '@certpin/testkit';
import { startPostgres } from '@certpin/testkit/postgres';
import { hash } from 'bcryptjs';
import pg from 'pg';

// The commands of docs/walkthroughs/auth0.md, as they stand there. Those of the guides and of docs/reference/commands run in dev/tools/test.

const root = fileURLToPath(new URL('../../..', import.meta.url));
const wholeWay = readFileSync(join(root, 'docs/walkthroughs/auth0.md'), 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks, and what the page says in a comment of its own line that happens meanwhile. */
function fencesOf(text: string): Block[] {
  const found = text.matchAll(/^```(\w+)\n([\s\S]*?)^```$|^<!-- (.*) -->$/gm);
  return [...found].map(([, language = 'event', text = '', event]) => ({ language, text: event ?? text }));
}

/** Programs that the commands call: certpin as it was built, and an npm that installs the packages of this repository. */
function writePrograms(folder: string): string {
  const programs = {
    certpin: `exec '${process.execPath}' '${join(root, 'packages/cli/bin/certpin.cjs')}' "$@"`,
    npm: `test "$1" = install && exec ln -s '${join(root, 'node_modules')}' node_modules`,
  };
  for (const [name, line] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

test(
  'the whole way of docs/walkthroughs/auth0.md: from the symptom to a rotation without an outage',
  longOnly,
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'certpin-whole-way-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const programs = join(folder, 'bin');
    const work = join(folder, 'work');
    for (const name of [programs, join(work, 'old')]) mkdirSync(name, { recursive: true });
    const certificate = await mint();
    const next = await mint();
    const server = await startPostgres({ certificate });
    t.after(() => server.stop());
    const { host, port, user, password } = server;
    writeFileSync(join(work, 'server.crt'), certificate.certPem);
    writeFileSync(join(work, 'next.crt'), next.certPem);
    const ask = async (database: string, ...queries: readonly (readonly [string, unknown[]?])[]): Promise<void> => {
      const client = new pg.Client({ host, port, user, password, database });
      await client.connect();
      for (const query of queries) await client.query(...query);
      await client.end();
    };
    await ask(server.database, ['CREATE DATABASE app']);

    const env = {
      PATH: `${writePrograms(programs)}${delimiter}${process.env.PATH}`,
      ...{ DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_PASSWORD: password, USER_PASSWORD: 'correct horse' },
    };
    const [shown = ''] = /\b[0-9A-F]{64}\b/.exec(wholeWay) ?? [];
    let output = '';
    let isJudged = true;
    const done: Record<string, number> = {};
    for (const { language, text } of fencesOf(wholeWay)) {
      done[language] = (done[language] ?? 0) + 1;
      if (language === 'sql') {
        const row = ['ada@example.com', await hash('correct horse', 4), true];
        await ask('app', [text], ['INSERT INTO crm.people (mail, pw_hash, confirmed) VALUES ($1, $2, $3)', row]);
      } else if (language === 'javascript') writeFileSync(join(work, 'old/login.js'), text);
      else if (language === 'event') {
        assert.equal(text, 'the server presents the next certificate');
        await server.present(next);
      } else if (language === 'sh') {
        assert.ok(isJudged, 'an exit code that nobody looked at');
        const script = text
          .replaceAll('db.example.com', `${host}:${port}`)
          .replaceAll(shown, certificateHex(certificate));
        const { stdout, stderr, code } = await run(script, work, env);
        output = `${stdout.replaceAll(certificateHex(certificate), shown)}${code === 0 ? '' : `exit ${code}\n`}`;
        isJudged = code === 0;
        assert.ok(!`${stdout}${stderr}`.includes(password), 'a password was printed');
        assert.ok(!`${stdout}${stderr}`.includes('correct horse'), 'a password was printed');
      } else if (language === 'text') {
        const lines = text.trimEnd().split('\n');
        for (const line of lines) assert.ok(output.split('\n').includes(line), `${line}\n--- is not in\n${output}`);
        isJudged ||= lines.some((line) => line.startsWith('exit '));
      }
    }
    assert.ok(isJudged);
    assert.deepEqual(done, { sql: 1, javascript: 1, sh: 14, text: 14, event: 1 });
  },
);

async function run(
  script: string,
  cwd: string,
  env: Record<string, string>,
): Promise<{ stdout: string; stderr: string; code: number }> {
  try {
    return { ...(await promisify(execFile)('sh', ['-ec', script], { cwd, env })), code: 0 };
  } catch (error) {
    const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
    return { stdout, stderr, code };
  }
}
