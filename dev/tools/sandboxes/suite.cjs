// What somebody tests who uses certpin, in the words that Jest and Vitest share. The servers stand outside; STAGE says where.
const https = require('node:https');
const net = require('node:net');
const { X509Certificate } = require('node:crypto');
const mariadb = require('mariadb');
const mysql = require('mysql');
const mysql2 = require('mysql2/promise');
const pg = require('pg');
const postgres = require('postgres');

const { url, certificate, without, postgresql, mariadb: maria } = JSON.parse(process.env.STAGE);
const wrongPins = 'A'.repeat(64);

/**
 * @param runner `test`, `expect`, and `timers`: `jest` or `vi`
 * @param certpin what all subpaths export
 */
module.exports = ({ test, expect, timers }, certpin) => {
  const { findCertpinError, pinnedAgent, pinnedAxios, pinnedFetch } = certpin;

  /** One exchange with the pinned server by each client: `hello`. */
  const clients = {
    'https.Agent': async (policy) => {
      const agent = certpin.pinnedAgent({ ...policy, keepAlive: true });
      const answer = await get(url, agent).finally(() => agent.destroy());
      return answer === 'GET /hello ' ? 'hello' : answer;
    },
    fetch: async (policy) => {
      const api = pinnedFetch(policy);
      const answer = await api(url).then((response) => response.text());
      await api.dispatcher.destroy();
      return answer === 'GET /hello ' ? 'hello' : answer;
    },
    'fetch with a dispatcher': async (policy) => {
      const dispatcher = certpin.pinnedDispatcher(policy);
      const answer = await fetch(url, { dispatcher }).then((response) => response.text());
      await dispatcher.destroy();
      return answer === 'GET /hello ' ? 'hello' : answer;
    },
    axios: async (policy) => {
      const { data } = await require('axios').get(url, pinnedAxios({}, policy));
      return data === 'GET /hello ' ? 'hello' : data;
    },
    pg: async (policy) => {
      const pool = new pg.Pool(certpin.pinnedPg(postgresql, policy));
      const { rows } = await pool.query("select 'hello' as word").finally(() => pool.end());
      return rows[0].word;
    },
    postgres: async (policy) => {
      const sql = postgres(certpin.pinnedPostgres({ ...postgresql, max: 1 }, policy));
      const [row] = await sql`select 'hello' as word`.finally(() => sql.end());
      return row.word;
    },
    mysql2: async (policy) => {
      const connection = await mysql2.createConnection(certpin.pinnedMysql2(maria, policy));
      const [rows] = await connection.query("select 'hello' as word");
      await connection.end();
      return rows[0].word;
    },
    mariadb: async (policy) => {
      const connection = await mariadb.createConnection(certpin.pinnedMariadb(maria, policy));
      const rows = await connection.query("select 'hello' as word");
      await connection.end();
      return rows[0].word;
    },
    mysql: (policy) =>
      new Promise((resolve, reject) => {
        const connection = mysql.createConnection(certpin.pinnedMysql(mysql, maria, policy));
        connection.query("select 'hello' as word", (error, rows) => {
          if (error) reject(error);
          else connection.end(() => resolve(rows[0].word));
        });
      }),
  };

  for (const client of without) delete clients[client];
  for (const [client, exchange] of Object.entries(clients)) {
    test(`${client} reaches the pinned server, and no other`, async () => {
      expect(await exchange({ pins: certificate })).toBe('hello');
      const refusal = await exchange({ pins: wrongPins }).catch((error) => error);
      expect(findCertpinError(refusal)?.code).toBe('ERR_PIN_MISMATCH');
    });
  }

  test('pins are read from bytes and from a certificate', async () => {
    for (const pins of [
      Buffer.from(certificate),
      new X509Certificate(certificate).raw,
      new X509Certificate(certificate),
    ])
      expect(await clients['https.Agent']({ pins })).toBe('hello');
  });

  // Drivers of databases themselves wait for faked ticks.
  for (const client of ['https.Agent', 'fetch', 'fetch with a dispatcher', 'axios'].filter((name) => name in clients)) {
    test(`${client} works where timers are faked, and ticks as the runner does it`, async () => {
      timers.useFakeTimers();
      try {
        expect(await clients[client]({ pins: certificate })).toBe('hello');
        const refusal = await clients[client]({ pins: wrongPins }).catch((error) => error);
        expect(findCertpinError(refusal)?.code).toBe('ERR_PIN_MISMATCH');
      } finally {
        timers.useRealTimers();
      }
    });
  }

  test('a silent server is given up after connectTimeoutMs, also where timers are faked', async () => {
    const server = net.createServer().listen(0);
    await new Promise((resolve) => server.once('listening', resolve));
    const silent = `https://127.0.0.1:${server.address().port}/`;
    timers.useFakeTimers();
    try {
      const agent = pinnedAgent({ pins: wrongPins, connectTimeoutMs: 100 });
      const refusal = await get(silent, agent).catch((error) => error);
      expect(refusal.code).toBe('ERR_CONNECT_TIMEOUT');
      expect(refusal instanceof certpin.CertpinError && refusal instanceof Error).toBe(true);
    } finally {
      timers.useRealTimers();
      server.close();
    }
  });

  test('an hour of faked time ends no connection that is being made', async () => {
    timers.useFakeTimers();
    try {
      const agent = pinnedAgent({ pins: certificate, connectTimeoutMs: 5_000 });
      const answer = get(url, agent);
      timers.advanceTimersByTime(3_600_000);
      expect(await answer).toBe('GET /hello ');
    } finally {
      timers.useRealTimers();
    }
  });

  test('a dispatcher that a test has set for all is refused: it would connect by itself', () => {
    const keys = [1, 2].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));
    const before = keys.map((key) => globalThis[key]);
    class MockAgent {}
    for (const key of keys) globalThis[key] = new MockAgent();
    try {
      expect(() => pinnedFetch({ pins: certificate })).toThrow(/proxy, a mock/);
    } finally {
      for (const [index, key] of keys.entries()) globalThis[key] = before[index];
    }
  });

  test('a fetch that a test has put in place of it sends nothing', async () => {
    const before = globalThis.fetch;
    const sent = [];
    globalThis.fetch = async (input) => {
      sent.push(String(input));
      return new Response('mocked');
    };
    try {
      const refusal = await pinnedFetch({ pins: certificate })(url).catch((error) => error);
      expect(refusal.code).toBe('ERR_CLIENT_UNSUPPORTED');
      expect(sent).not.toContain(url);
    } finally {
      globalThis.fetch = before;
    }
  });
};

function get(address, agent) {
  return new Promise((resolve, reject) => {
    https
      .get(address, { agent }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      })
      .once('error', reject);
  });
}
