import buffer from 'node:buffer';
import crypto from 'node:crypto';
import events, { EventEmitter } from 'node:events';
import http, { Agent, ClientRequest, IncomingMessage } from 'node:http';
import https from 'node:https';
import module from 'node:module';
import net, { Socket } from 'node:net';
import stream, { Duplex } from 'node:stream';
import tls, { TLSSocket } from 'node:tls';
import url from 'node:url';
import util from 'node:util';
import { words } from '../known/words.ts';
import type { Key } from './key.ts';

/**
 * Whether an object of Node's network, or of a driver, may have a member of this name. The result of a call may be such an object. If it
 * has no such member, writing to that name changes nothing of it.
 */
export function mayBeOfNetwork({ text, isIndex, isApart }: Key): boolean {
  if (text === undefined) return !isIndex && !isApart;
  return isInternal(text) || NETWORK.has(text);
}

/** `_events`, `_handle`: internal members of Node's objects. Databases and passports have some too. */
export const isInternal = (name: string): boolean => /^_(?!(?:id|json|source|rev|doc|key)$)/.test(name);

const NETWORK = new Set([
  ...[EventEmitter, Duplex, Socket, TLSSocket, Agent, ClientRequest, IncomingMessage].flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype),
  ),
  ...Object.keys(new Socket()),
  ...Object.keys(new Agent()),
  ...words(`
    agent authorizationError authorized encrypted parser res req secureConnecting secureContext ssl stream socket connection pool
    client dispatcher httpAgent httpsAgent adapter transport transports interceptors proxy ca rejectUnauthorized checkServerIdentity lookup`),
]);
// Data has these as well, and they do not make a connection another one.
for (const name of words('address options path method host protocol headers timeout url domain port'))
  NETWORK.delete(name);

/** Whether something of Node has a member of this name: a module that blocks use, a global, or the prototype of one. */
export function mayBeOfNode({ text, isIndex, isApart }: Key): boolean {
  if (text === undefined) return !isIndex && !isApart;
  nodeNames ??= new Set(
    [buffer, crypto, events, http, https, module, net, stream, tls, url, util, globalThis, process, console]
      .flatMap((owner): object[] => [owner, ...Object.values(owner).filter((member) => typeof member === 'function')])
      .concat(Object.getOwnPropertyNames(globalThis).flatMap((name) => Reflect.get(globalThis, name) ?? []))
      .flatMap((owner) => [owner, (owner as { prototype?: object }).prototype ?? {}])
      .flatMap((owner) => Object.getOwnPropertyNames(owner)),
  );
  return nodeNames.has(text);
}
let nodeNames: ReadonlySet<string> | undefined;
