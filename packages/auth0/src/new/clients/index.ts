import type { ScriptClient } from '../options.ts';
import { axios } from './axios.ts';
import type { ClientPieces, SqlPieces } from './client.ts';
import { fetch } from './fetch.ts';
import { mysql } from './mysql.ts';
import { mysql2 } from './mysql2.ts';
import { pg } from './pg.ts';

const clients: Record<ScriptClient, ClientPieces | SqlPieces> = { pg, mysql2, mysql, axios, fetch };

export function piecesOf(client: ScriptClient): ClientPieces | SqlPieces {
  return clients[client];
}

export function isSql(pieces: ClientPieces | SqlPieces): pieces is SqlPieces {
  return 'statement' in pieces;
}
