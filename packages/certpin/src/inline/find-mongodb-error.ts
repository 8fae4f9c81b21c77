import { type AnyCertpinError, isCertpinError } from '../errors.ts';

/** As findCertpinError of errors.ts, for the driver of MongoDB. Its error keeps the error of each server in its `reason`. */
export function findCertpinError(error: unknown): AnyCertpinError | undefined {
  const queue = new Set<unknown>([error]);
  for (const candidate of queue) {
    if (isCertpinError(candidate)) return candidate;
    const { cause, reason, error: ofServer, servers } = Object(candidate) as Record<string, unknown>;
    for (const next of [cause, reason, ofServer, ...(servers instanceof Map ? servers.values() : [])]) queue.add(next);
  }
  return undefined;
}
