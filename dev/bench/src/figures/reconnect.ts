import type { TLSSocket } from 'node:tls';
import { pinnedAgent } from 'certpin/https';
import { pinnedMysql2 } from 'certpin/mysql2';
import { pinnedPg } from 'certpin/pg';
import { pinnedConnector } from 'certpin/undici';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { type Benchmark, type FigureOptions, figure, medians } from '../figure.ts';
import { alternate, inParallel, type Run } from '../measure.ts';
import type { PinnedServer, Stage } from '../stage.ts';
import { openOf } from './connect.ts';
import { loginRounds } from './databases.ts';

const WIDTH = 4;

export const reconnect: Benchmark = {
  name: 'reconnect',
  about:
    "New connections a second up to the first answer, with `resumption: 'own'`. The peer is our own full handshake, which is the default. Every connection is closed after its answer. Connections to databases are made one after the other. PostgreSQL gives no session tickets. So there is nothing to resume, but nothing may be lost either.",
  run: async (stage) => {
    const size = stage.quick ? { count: 40, rounds: 9 } : { count: 40, rounds: 40 };
    const [p256, rsa] = [await stage.web('p256'), await stage.web('rsa2048')];
    const compare = async (
      what: string,
      make: (resumption: 'own' | 'refuse') => Run,
      { count, rounds } = size,
      others: Partial<FigureOptions> = {},
    ) => {
      const measured = await alternate({ ours: make('own'), peer: make('refuse'), count, rounds });
      const details = medians(measured);
      return figure({
        name: 'reconnect',
        what,
        peer: 'our own full handshake',
        ratio: measured.speed,
        details,
        ...others,
      });
    };
    const tls12 = { maxVersion: 'TLSv1.2' };
    const logins = { count: 1, rounds: loginRounds(stage.quick) };
    return {
      figures: [
        await compare('agent, ECDSA P-256', (own) => agentAnswers(p256, own), size, { target: { atLeast: 1.5 } }),
        await compare('agent, RSA-2048', (own) => agentAnswers(rsa, own), size, { target: { atLeast: 2 } }),
        await compare('agent, ECDSA P-256, TLS 1.2', (own) => agentAnswers(p256, own, tls12)),
        await compare('connector of undici, ECDSA P-256', (own) => connectorAnswers(p256, own)),
        await compare('mysql2, with its login', await mysqlLogins(stage), logins),
        await compare('pg, with its login', await pgLogins(stage), logins),
      ],
    };
  },
};

function agentAnswers(server: PinnedServer, resumption: 'own' | 'refuse', tls: object = {}): Run {
  const agent = pinnedAgent({ pins: server.certificatePin, resumption, ...tls });
  return (count) => inParallel(count, WIDTH, () => firstAnswer(openOf(agent, server)));
}

function connectorAnswers(server: PinnedServer, resumption: 'own' | 'refuse'): Run {
  const connect = pinnedConnector({ pins: server.certificatePin, resumption });
  const answer = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = { hostname: server.host, servername: 'localhost', protocol: 'https:', port: server.port };
      connect(request, (error, socket) => {
        if (error !== null) reject(error);
        else firstAnswer(socket).then(resolve, reject);
      });
    });
  return (count) => inParallel(count, WIDTH, answer);
}

/** By then the server's tickets have come too. */
function firstAnswer(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject).once('data', () => {
      socket.destroy();
      resolve();
    });
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  });
}

async function mysqlLogins(stage: Stage): Promise<(resumption: 'own' | 'refuse') => Run> {
  const { host, port, user, password, database, certificatePin } = await stage.mariadb();
  return (resumption) => {
    const config = pinnedMysql2({ host, port, user, password, database }, { pins: certificatePin, resumption });
    return () => mysql.createConnection(config).then((connection) => connection.end());
  };
}

async function pgLogins(stage: Stage): Promise<(resumption: 'own' | 'refuse') => Run> {
  const { host, port, user, password, database, certificatePin } = await stage.postgres();
  return (resumption) => {
    const config = pinnedPg({ host, port, user, password, database }, { pins: certificatePin, resumption });
    return async () => {
      const client = new pg.Client(config);
      await client.connect();
      await client.end();
    };
  };
}
