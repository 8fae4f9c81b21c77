/** Scripts for Auth0, from a server to the proof, on a real PostgreSQL: `npm run demo:auth0`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { certificateHex, mint } from '@certpin/testkit';
import { startPostgres } from '@certpin/testkit/postgres';
import { hash } from 'bcryptjs';
import pg from 'pg';
import { bad, chapter, line, quote } from '../say.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'certpin-auth0-'));
// What `npm install pg bcryptjs` would bring: the scripts require them.
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));

const certificate = await mint({ subject: 'CN=db.example.com', names: ['localhost'] });
const postgres = await startPostgres({ certificate });
const { host, port, user, password, database } = postgres;

/** Runs one command of certpin, and shows it with what it prints. Passwords come from the environment, and stand in no command. */
function certpin(...words: readonly string[]): void {
  line(`$ certpin ${words.join(' ')}`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'packages/cli/bin/certpin.cjs'), ...words],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, DB_USER: user, DB_PASSWORD: password, USER_PASSWORD: 'correct horse' },
    },
  );
  quote(`${stdout}${stderr}`.trimEnd());
  if (status === 0) return;
  bad(`exit code ${status}`);
  process.exitCode = 1;
}

try {
  const client = new pg.Client({ host, port, user, password, database, ssl: { ca: certificate.certPem } });
  await client.connect();
  await client.query(
    'CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, password text, email_verified boolean, nickname text)',
  );
  const row = ['ada@example.com', await hash('correct horse', 10), true, 'ada'];
  await client.query('INSERT INTO users (email, password, email_verified, nickname) VALUES ($1, $2, $3, $4)', row);
  await client.end();

  const settings = ['--config-file', 'auth0/configuration.json', '--config', 'DB_USER', '--config', 'DB_PASSWORD'];
  const ada = ['--user', 'ada@example.com', '--password-env', 'USER_PASSWORD', ...settings];
  chapter('Write the scripts');
  const target = `postgres://${host}:${port}/${database}`;
  certpin('auth0', 'new', '--from', target, '--new-users', '--pins', certificateHex(certificate));
  chapter('Run the login, as Auth0 would');
  certpin('auth0', 'run', 'auth0/login.js', ...ada);
  chapter('Prove that a wrong server gets nothing');
  certpin('auth0', 'prove', 'auth0/login.js', ...ada);
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
