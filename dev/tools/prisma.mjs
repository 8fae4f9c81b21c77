// Makes the Prisma clients of the examples, which the type check needs.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const examples = new URL('../../examples/', import.meta.url);
const prisma = createRequire(new URL('package.json', examples)).resolve('prisma/build/index.js');
// Prisma downloads an engine for its migrations, whatever it is asked to do, unless it gets the path of one. A client is made without it.
const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' };

const generate = (schema) =>
  promisify(execFile)(process.execPath, [prisma, 'generate', '--schema', schema], {
    cwd: fileURLToPath(examples),
    env,
  });
await Promise.all(['postgres', 'mysql'].map((database) => generate(`orm/prisma/${database}.prisma`)));
