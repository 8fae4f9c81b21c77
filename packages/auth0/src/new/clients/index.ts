import type { ScriptClient } from '../options.ts';
import { axios } from './axios.ts';
import type { AnyPieces, DirectoryPieces, DocumentPieces, SqlPieces } from './client.ts';
import { fetch } from './fetch.ts';
import { ldapts } from './ldapts.ts';
import { mongodb } from './mongodb.ts';
import { mysql } from './mysql.ts';
import { mysql2 } from './mysql2.ts';
import { pg } from './pg.ts';
import { tedious } from './tedious.ts';

const clients: Record<ScriptClient, AnyPieces> = { pg, mysql2, mysql, tedious, mongodb, ldapts, axios, fetch };

export function piecesOf(client: ScriptClient): AnyPieces {
  return clients[client];
}

export function isSql(pieces: AnyPieces): pieces is SqlPieces {
  return 'statement' in pieces;
}

export function isDocuments(pieces: AnyPieces): pieces is DocumentPieces {
  return 'ownId' in pieces;
}

export function isDirectory(pieces: AnyPieces): pieces is DirectoryPieces {
  return 'keeps' in pieces;
}

/** Whether it is a database, and no HTTP API. */
export function isDatabase(pieces: AnyPieces): pieces is SqlPieces | DocumentPieces {
  return isSql(pieces) || isDocuments(pieces);
}
