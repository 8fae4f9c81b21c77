import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import mysqlCallbacks from 'mysql2';
import mysql from 'mysql2/promise';
import pg from 'pg';
import QueryStream from 'pg-query-stream';
import { blockOf } from '../block.ts';
import { type Benchmark, type Figure, figure, medians } from '../figure.ts';
import { alternate, type Comparison, inParallel, type Run, type Spread, spreadOf } from '../measure.ts';
import type { Stage } from '../stage.ts';
import { hookFigures, nodeOfSeen, seenFigures } from './clients.ts';
import { forwardFigures } from './forward.ts';

const POOL = 10;
/** Rows of 10 kB in the result that is streamed. */
const ROW_BYTES = 10_000;
/**
 * The number of `SELECT 1` in a round. About every thousand, young objects are collected, which takes a quarter of the time of five hundred
 * queries. In rounds of that length, one side got all collections and the other none, for as long as a pair was measured.
 */
const SELECTS = 3_000;

/** What is done with a driver, by either side. */
interface Side {
  readonly connect: Run;
  /** A new pool, which is asked for `SELECT 1`. */
  readonly pool: () => { readonly select: Run; readonly close: () => Promise<unknown> };
  /** Reads so many megabytes. */
  readonly stream: Run;
  readonly close: () => Promise<unknown>;
}

export const databases: Benchmark = {
  name: 'databases',
  about:
    'pg and mysql2 against the same driver with `ssl: { ca }`. Three things are measured. The first is a connection with its login, one of each side in turn. The second is `SELECT 1` in a pool of 10, over twenty pairs of new pools, in rounds of 3,000. The third is a result that is streamed row by row, in rows of 10 kB. Clients of Redis and of a scripted SQL Server are measured too: connections with their login, one after the other, and round trips on one that stays. The rows of `certpin/driver-tls` come from a process of its own, on the Node that they name. The last rows show what the way through an end of `certpin/forward` costs.',
  run: async (stage) => {
    const node = nodeOfSeen();
    return {
      figures: [
        ...(await compare(stage, 'pg', await pgSides(stage))),
        await compareBlock(stage),
        ...(await compare(stage, 'mysql2', await mysqlSides(stage))),
        await compareResuming(stage),
        ...(await hookFigures(stage)),
        ...(await seenFigures(stage, node)),
        ...(await forwardFigures(stage)),
      ],
    };
  },
};

async function compare({ quick }: Stage, driver: string, sides: { ours: Side; peer: Side }): Promise<Figure[]> {
  const { ours, peer } = sides;
  const of = (what: 'connect' | 'stream', count: number, rounds: number) =>
    alternate({ ours: ours[what], peer: peer[what], count, rounds });
  const connect = await of('connect', 1, loginRounds(quick));
  const select = await compareSelects(sides, quick ? 3 : 20);
  const stream = await of('stream', quick ? 10 : 100, quick ? 7 : 15);
  await Promise.all([ours.close(), peer.close()]);
  const common = { name: 'databases', peer: `${driver} with \`ssl: { ca }\`` };
  return [
    figure({
      ...common,
      what: `${driver}: time to connect`,
      ratio: latencyOf(connect),
      target: { atMost: 1 },
      details: medians(connect),
    }),
    figure({
      ...common,
      what: `${driver}: SELECT 1 a second`,
      ratio: spreadOf(select.map(({ speed }) => speed.median)),
      target: { atLeast: 0.98 },
      details: { 'CPU, ours to peer': spreadOf(select.map(({ cpu }) => cpu.median)).median },
    }),
    figure({
      ...common,
      what: `${driver}: megabytes a second, streamed`,
      ratio: stream.speed,
      target: { atLeast: 0.98 },
      details: medians(stream),
    }),
  ];
}

/** Each login is a round of its own: one in ten takes five times as long as the others, on either side, and would dominate a round. */
export function loginRounds(quick: boolean): number {
  return quick ? 60 : 600;
}

async function compareSelects({ ours, peer }: { ours: Side; peer: Side }, pairs: number): Promise<Comparison[]> {
  const found: Comparison[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    // The connections that are made first are served worse. So each side is first equally often.
    const [first, second] = pair % 2 === 0 ? [ours.pool(), peer.pool()] : [peer.pool(), ours.pool()];
    await first.select(SELECTS);
    await second.select(SELECTS);
    const [own, other] = pair % 2 === 0 ? [first, second] : [second, first];
    found.push(await alternate({ ours: own.select, peer: other.select, count: SELECTS, rounds: 6 }));
    await Promise.all([own.close(), other.close()]);
  }
  return found;
}

/** mysql2 resumes the sessions of an `ssl` object by itself. Here both sides do. */
async function compareResuming(stage: Stage): Promise<Figure> {
  const { port, user, password, database, certificatePin, ca } = await stage.mariadb();
  const config = { host: 'localhost', port, user, password, database };
  const connecting =
    (own: mysql.ConnectionOptions): Run =>
    async (count) => {
      for (let left = count; left > 0; left--) await (await mysql.createConnection(own)).end();
    };
  const ours = connecting(pinnedMysql2(config, { pins: certificatePin, resumption: 'own' }));
  const what = "mysql2: time to connect, with `resumption: 'own'`";
  const peer = connecting({ ...config, ssl: { ca } });
  return compareLogins(stage, what, { ours, peer, named: 'mysql2 with `ssl: { ca }`, which resumes too' });
}

/** What a script at Auth0 does for each login. */
async function compareBlock(stage: Stage): Promise<Figure> {
  const { port, user, password, database, certificatePin: pins, ca } = await stage.postgres();
  const config = { host: 'localhost', port, user, password, database };
  const block = blockOf<{ pinnedPg(given: object, policy: object): pg.ClientConfig }>('pg');
  const ours = pgLogins(block.pinnedPg(config, { pins }));
  const peer = pgLogins({ ...config, ssl: { ca } });
  return compareLogins(stage, 'pg: time to connect, by a pasted block', { ours, peer, named: 'pg with `ssl: { ca }`' });
}

async function compareLogins(
  { quick }: Stage,
  what: string,
  { ours, peer, named }: { readonly ours: Run; readonly peer: Run; readonly named: string },
): Promise<Figure> {
  const measured = await alternate({ ours, peer, count: 1, rounds: loginRounds(quick) });
  const ratio = latencyOf(measured);
  return figure({ name: 'databases', what, peer: named, ratio, target: { atMost: 1 }, details: medians(measured) });
}

/** What ours costs, if the peer's costs one. */
function latencyOf({ speed: { low, median, high } }: Comparison): Spread {
  return { low: 1 / high, median: 1 / median, high: 1 / low };
}

function pgLogins(config: pg.ClientConfig): Run {
  return async (count) => {
    for (let left = count; left > 0; left--) {
      const client = new pg.Client(config);
      await client.connect();
      await client.end();
    }
  };
}

async function pgSides(stage: Stage): Promise<{ ours: Side; peer: Side }> {
  const { port, user, password, database, certificatePin, ca } = await stage.postgres();
  const config = { host: 'localhost', port, user, password, database, max: POOL };
  const side = (own: pg.PoolConfig): Side => {
    const pool = new pg.Pool(own);
    return {
      connect: pgLogins(own),
      pool: () => {
        const asked = new pg.Pool(own);
        return { select: (count) => inParallel(count, POOL, () => asked.query('SELECT 1')), close: () => asked.end() };
      },
      stream: async (megabytes) => {
        const client = await pool.connect();
        const rows = (megabytes * 1_000_000) / ROW_BYTES;
        const text = `SELECT repeat('x', ${ROW_BYTES}) AS text FROM generate_series(1, ${rows})`;
        for await (const _ of client.query(new QueryStream(text, [], { batchSize: 1000 })));
        client.release();
      },
      close: () => pool.end(),
    };
  };
  return { ours: side(pinnedPg(config, { pins: certificatePin })), peer: side({ ...config, ssl: { ca } }) };
}

async function mysqlSides(stage: Stage): Promise<{ ours: Side; peer: Side }> {
  const { port, user, password, database, certificatePin, ca } = await stage.mariadb();
  const config = { host: 'localhost', port, user, password, database };
  const side = (own: mysql.PoolOptions): Side => {
    const streaming = mysqlCallbacks.createConnection(own);
    return {
      connect: async (count) => {
        for (let left = count; left > 0; left--) await (await mysql.createConnection(own)).end();
      },
      pool: () => {
        const asked = mysql.createPool({ ...own, connectionLimit: POOL });
        return { select: (count) => inParallel(count, POOL, () => asked.query('SELECT 1')), close: () => asked.end() };
      },
      stream: (megabytes) =>
        new Promise((resolve, reject) => {
          const rows = (megabytes * 1_000_000) / ROW_BYTES;
          streaming
            .query(`SELECT REPEAT('x', ${ROW_BYTES}) AS text FROM seq_1_to_${rows}`)
            .on('error', reject)
            .on('result', () => undefined)
            .on('end', resolve);
        }),
      close: async () => streaming.destroy(),
    };
  };
  return { ours: side(pinnedMysql2(config, { pins: certificatePin })), peer: side({ ...config, ssl: { ca } }) };
}
