import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Minted, mint, startHttpsServer } from '@certpin/testkit';
import { startMariadb } from '@certpin/testkit/mariadb';
import { startMongodb } from '@certpin/testkit/mongodb';
import { startPostgres } from '@certpin/testkit/postgres';
import { startHttpProxy } from '@certpin/testkit/proxy';
import { startTdsServer } from '@certpin/testkit/tds';
import { hash } from 'bcryptjs';
import pg from 'pg';
import { nodeOf } from '../../../../packages/auth0/test/nodes.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** A server that the pages name, under the address that it has in the test. */
interface House {
  readonly host: string;
  readonly port: number;
  /** The port, if the pages leave it out. */
  readonly usualPort: number;
  readonly present: (certificate: Minted) => unknown;
  readonly close: () => Promise<unknown>;
}

/** The servers of the guides, a working folder, and the programs that the commands call. */
export interface Town {
  readonly folder: string;
  readonly env: Record<string, string>;
  /** Nobody may see them in an output. */
  readonly secrets: readonly string[];
  /** The text of a page in the form for the test: with its addresses. */
  readonly toReal: (text: string) => string;
  /** The way back, for what is printed. */
  readonly toShown: (text: string) => string;
  /** What happens between two commands, in the words of the page. @throws for words that are unknown */
  readonly happen: (event: string) => Promise<void>;
}

const USER_PASSWORD = 'correct horse';

/**
 * Starts the servers that a page names, each with its own certificate. In the working folder, `db.crt` is that of db.example.com, `server.crt` that
 * of the first server, and `next.crt` the one that the first server gets next. Their keys stand beside them.
 */
export async function openTown(t: TestContext, page: string): Promise<Town> {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-guide-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const work = join(folder, 'work');
  mkdirSync(work);
  const put = (name: string, { certPem, keyPem }: Minted): void => {
    writeFileSync(join(work, `${name}.crt`), certPem);
    writeFileSync(join(work, `${name}.key`), keyPem, { mode: 0o600 });
  };
  const env: Record<string, string> = {
    PATH: `${writePrograms(folder)}${delimiter}${process.env.PATH}`,
    HOME: work,
    USER_PASSWORD,
  };
  const houses = new Map<string, House & { readonly certificate: Minted }>();
  for (const [name, build] of Object.entries(builders)) {
    if (!named(name).test(page)) continue;
    const certificate = await mintFor(name);
    put(name.split('.')[0] ?? '', certificate);
    if (houses.size === 0) put('server', certificate);
    const house = await build(certificate, env);
    t.after(house.close);
    houses.set(name, { ...house, certificate });
  }
  const [first] = houses;
  const next = await mintFor(first?.[0] ?? 'db.example.com');
  put('next', next);
  const names = [...houses].flatMap(([name, { host, port, usualPort }]): [shown: RegExp, real: string][] => [
    [new RegExp(`host: '${name}'`, 'g'), `host: '${host}', port: ${port}`],
    [new RegExp(`server: '${name}'`, 'g'), `server: '${host}', port: ${port}`],
    [new RegExp(`${named(name).source}(?::${usualPort})?`, 'g'), `${host}:${port}`],
  ]);
  return {
    folder: work,
    env,
    secrets: [USER_PASSWORD, env.DB_PASSWORD ?? USER_PASSWORD],
    toReal: (text) => names.reduce((sum, [shown, real]) => sum.replace(shown, real), text),
    toShown: (text) =>
      [...houses].reduce((sum, [name, { port, usualPort }]) => {
        return sum.replace(new RegExp(`(?:localhost|127\\.0\\.0\\.1):${port}\\b`, 'g'), `${name}:${usualPort}`);
      }, text),
    happen: async (event) => {
      if (event === 'the server presents the next certificate') {
        await first?.[1].present(next);
        return;
      }
      const [, who, only] = /^(another|the right) server answers(?: for (\S+)| again)?$/.exec(event) ?? [];
      const called = [...houses].filter(([name]) => only === undefined || only === name);
      if (who === undefined || called.length === 0) throw new Error(`nobody knows what this is: ${event}`);
      for (const [name, { present, certificate }] of called)
        await present(who === 'another' ? await mintFor(name) : certificate);
    },
  };
}

function mintFor(name: string): Promise<Minted> {
  return mint({ subject: `CN=${name}`, names: [name, 'localhost'], validToDays: 365 });
}

/** A name, but not the end of a longer one: `sql.example.com` is in `mysql.example.com`. */
function named(name: string): RegExp {
  return new RegExp(`(?<![\\w.-])${name}`);
}

/**
 * Programs that the commands call: the built certpin, the Node of most users, and an npm whose `install` links the packages of this repository
 * into the working folder. If the page has no `npm install`, there is nothing to import.
 */
function writePrograms(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const link = (from: string, to: string): string => `{ test -e ${to} || ln -s '${join(root, from)}' ${to}; }`;
  const programs = {
    certpin: `exec '${nodeOf(22)}' '${join(root, 'packages/cli/bin/certpin.cjs')}' "$@"`,
    // Those of one package, and beside them, in the folder above, the others: Node looks there next.
    npm: `case "$*" in
  'install --global @certpin/cli') ;; # certpin is on the PATH
  install\\ *) ${link('packages/certpin/node_modules', 'node_modules')} && ${link('node_modules', '../node_modules')} ;;
  *) exit 2 ;;
esac`,
  };
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  symlinkSync(nodeOf(22), join(bin, 'node'));
  return bin;
}

type Build = (certificate: Minted, env: Record<string, string>) => Promise<House>;

const builders: Readonly<Record<string, Build>> = {
  'db.example.com': async (certificate, env) => {
    const server = await startPostgres({ certificate });
    const { host, port, user, password, present } = server;
    const ask = async (database: string, ...queries: readonly [string, unknown[]?][]): Promise<void> => {
      const client = new pg.Client({ host, port, user, password, database });
      await client.connect();
      for (const query of queries) await client.query(...query);
      await client.end();
    };
    await ask(server.database, ['CREATE DATABASE app']);
    const row = ['ada@example.com', await hash(USER_PASSWORD, 4), true, 'ada'];
    await ask(
      'app',
      [USERS],
      ['INSERT INTO users (email, password, email_verified, nickname) VALUES ($1, $2, $3, $4)', row],
    );
    Object.assign(env, { DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_PASSWORD: password });
    return { host, port, usualPort: 5432, present, close: () => server.stop() };
  },
  'mysql.example.com': async (certificate, env) => {
    const server = await startMariadb({ certificate });
    const { host, port, user, password, present } = server;
    Object.assign(env, { DB_USER: user, DB_PASSWORD: password });
    return { host, port, usualPort: 3306, present, close: () => server.stop() };
  },
  'sql.example.com': async (certificate, env) => {
    const server = await startTdsServer({ certificate });
    Object.assign(env, { DB_USER: 'app', DB_PASSWORD: 'battery staple' });
    return { ...server, usualPort: 1433 };
  },
  'mongo.example.com': async (certificate, env) => {
    const login = { user: 'app', password: 'battery-staple' };
    const server = await startMongodb({ certificate, login });
    Object.assign(env, { DB_USER: login.user, DB_PASSWORD: login.password });
    return { ...server, usualPort: 27017 };
  },
  'api.example.com': async (certificate) => ({ ...(await startHttpsServer({ certificate })), usualPort: 443 }),
  'proxy.example.com': async () => {
    const { host, port, stop } = await startHttpProxy();
    return { host, port, usualPort: 3128, present: () => undefined, close: stop };
  },
};

/** The table of docs/guides/auth0-login.md. */
const USERS = `CREATE TABLE users (
  id serial PRIMARY KEY,
  email varchar(254) UNIQUE NOT NULL,
  password varchar(60) NOT NULL,
  email_verified boolean NOT NULL,
  nickname varchar(64)
)`;
