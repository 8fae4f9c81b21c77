/** The drivers of the tests, for the soak and the bench too: they measure the versions that the suite has. */
export { Redis, type RedisOptions } from 'ioredis';
export { Client as LdapClient } from 'ldapts';
export { MongoClient } from 'mongodb';
export { default as mssql } from 'mssql';
export { createClient as createRedisClient } from 'redis';
export { default as tedious } from 'tedious';
export { openTedious } from './adapters/tedious-database.ts';
