import { configureMongodb, type MongodbArguments, type PinnedMongodb, readMongodbConfig } from '../drivers/mongodb.ts';
import { createLeafAttacher } from '../leaf/attacher.ts';
import type { LeafPinnerOptions } from '../leaf/pinner.ts';
import { readScriptTls } from './script-options.ts';

export { findCertpinError } from './find-mongodb-error.ts';

/** The arguments of `new MongoClient` for a script. */
export function pinnedMongodb(
  url: string,
  policy: LeafPinnerOptions,
  options?: object,
): MongodbArguments<PinnedMongodb> {
  return configureMongodb(readMongodbConfig(url, options, 'pinnedMongodb'), createLeafAttacher(policy), readScriptTls);
}
