// The drivers of MongoDB that the tests run with, and the two ways on which certpin pins them.

import { MongoClient } from 'mongodb';
import { MongoClient as MongoClient4 } from 'mongodb-4';
import { MongoClient as MongoClient59 } from 'mongodb-5';
import { MongoClient as MongoClient51 } from 'mongodb-5.1';
import mongoose from 'mongoose';
import { findPackage, requirePackage, supportsNode } from '../../../../dev/tools/nodes/packages.ts';
import { isSupported } from '../../src/adapters/driver-tls.ts';
import { type ConnectableMongodb, pinnedMongodb, pinnedMongodbForward } from '../../src/adapters/mongodb.ts';
import type { PolicyInput } from '../../src/tls/pinner-of.ts';

type Documents = Record<string, unknown>;

/** What the tests use of every driver. */
export interface Client extends ConnectableMongodb {
  listenerCount(event: string): number;
  db(name?: string): {
    collection(name: string): {
      insertOne(document: Documents): Promise<unknown>;
      findOne(filter: Documents): Promise<Documents | null>;
    };
    command(command: Documents): Promise<Documents>;
    aggregate(pipeline: Documents[]): { toArray(): Promise<Documents[]> };
  };
}

type ClientClass = new (url: string, options: object) => Client;

export interface Driver {
  readonly name: string;
  /** Why it does not run on this Node. */
  readonly skip: string | false;
  readonly load: () => ClientClass;
}

const here = process.version;

const seven = findPackage('mongodb-7');

export const drivers: readonly Driver[] = [
  { name: 'mongodb 4.17', skip: false, load: () => MongoClient4 as never },
  { name: 'mongodb 5.1', skip: false, load: () => MongoClient51 as never },
  { name: 'mongodb 5.9', skip: false, load: () => MongoClient59 as never },
  { name: 'mongodb 6.22', skip: false, load: () => MongoClient as never },
  {
    name: 'mongodb 7.9',
    skip:
      seven !== undefined && supportsNode(seven, here) ? false : `mongodb 7 is not installed, or not for Node ${here}`,
    load: () => (requirePackage('mongodb-7') as { MongoClient: ClientClass }).MongoClient,
  },
];

/** Of mongoose, what both versions have. */
export type Mongoose = typeof mongoose;

const nine = findPackage('mongoose');

export const mongooses: readonly { name: string; skip: string | false; load: () => Mongoose }[] = [
  { name: 'mongoose 8', skip: false, load: () => mongoose },
  {
    name: 'mongoose 9',
    skip: nine?.version.startsWith('9.') && supportsNode(nine, here) ? false : `mongoose 9 is not for Node ${here}`,
    load: () => requirePackage('mongoose') as Mongoose,
  },
];

/** A configuration that was made. */
export interface Opened {
  readonly args: [url: string, options: Record<string, unknown>];
  /** What certpin itself keeps of a refusal, where the driver loses the object. */
  readonly lastError: () => unknown;
  readonly close: () => Promise<void>;
}

export interface Way {
  readonly name: 'seen' | 'forwarded';
  readonly skip: string | false;
  readonly open: (url: string, policy: PolicyInput, options?: object) => Promise<Opened>;
}

export const ways: readonly Way[] = [
  {
    name: 'seen',
    skip: isSupported() ? false : `Node ${here} does not announce TLS sockets`,
    open: async (url, policy, options) => ({
      args: pinnedMongodb(url, policy, options as object) as never,
      lastError: () => undefined,
      close: async () => undefined,
    }),
  },
  {
    name: 'forwarded',
    skip: false,
    open: async (url, policy, options) => {
      const pinned = await pinnedMongodbForward(url, policy, options as object);
      return { args: pinned.args as never, lastError: () => pinned.lastError, close: () => pinned.close() };
    },
  },
];
