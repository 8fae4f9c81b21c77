import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { mint } from '@certpin/testkit';
import { startPostgres } from '@certpin/testkit/postgres';
import { hash } from 'bcryptjs';
import pg from 'pg';

// The commands of docs/auth0.md, as they stand there.

const root = fileURLToPath(new URL('../../..', import.meta.url));
const page = readFileSync(join(root, 'docs/auth0.md'), 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of one section. */
function blocksOf(heading: string): Block[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [text = ''] = section.split('\n## ');
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }));
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

test('the walk-through of docs/auth0.md: every command, and every line of output that it shows', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-walkthrough-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const programs = join(folder, 'bin');
  const work = join(folder, 'work');
  for (const name of [programs, work]) mkdirSync(name);
  const server = await startPostgres({ certificate: await mint() });
  t.after(() => server.stop());
  const blocks = blocksOf('From a server to scripts that are deployed');

  const { host, port, user, password } = server;
  const connect = async (database: string): Promise<pg.Client> => {
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    return client;
  };
  const first = await connect(server.database);
  await first.query('CREATE DATABASE app');
  await first.end();
  const client = await connect('app');
  for (const { language, text } of blocks) if (language === 'sql') await client.query(text);
  const row = ['ada@example.com', await hash('correct horse', 4), true, 'ada'];
  await client.query('INSERT INTO users (email, password, email_verified, nickname) VALUES ($1, $2, $3, $4)', row);
  await client.end();

  const env = {
    PATH: `${writePrograms(programs)}${delimiter}${process.env.PATH}`,
    ...{ DB_USER: user, DB_PASSWORD: password, USER_PASSWORD: 'correct horse' },
  };
  let output = '';
  let commands = 0;
  for (const { language, text } of blocks) {
    if (language === 'sh') {
      const script = text.replaceAll('db.example.com', `${host}:${port}`);
      const { stdout, stderr } = await promisify(execFile)('sh', ['-ec', script], { cwd: work, env });
      output = stdout;
      commands++;
      assert.equal(stderr, '');
      assert.ok(!output.includes(password) && !output.includes('correct horse'), 'a password was printed');
    } else if (language === 'text') {
      for (const line of text.trimEnd().split('\n')) {
        assert.ok(output.split('\n').includes(line), `${line}\n--- is not in\n${output}`);
      }
    }
  }
  assert.ok(commands >= 4, `${commands} blocks of commands were found`);
});
