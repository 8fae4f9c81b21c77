import { type AnyCertpinError, isCertpinError } from '../errors.ts';

/**
 * The properties in which clients keep the error that they wrap: sequelize `original`, mssql `originalError`, typeorm `driverError`, Prisma
 * `meta`, MongoDB `reason`. The names with an `s` hold several errors: `AggregateError`, cassandra-driver by host, MongoDB in a Map of
 * descriptions with an `error`.
 */
const wrappers = 'cause original originalError driverError meta reason error errors innerErrors servers'.split(' ');

const MAX_LOOKED = 100_000;

/**
 * Finds the `CertpinError` in a client's error, whatever the client has wrapped it in. undefined: there is none.
 *
 * The brand identifies it, not its `code`: a client may overwrite the `code` with its own (nodemailer).
 *
 * Errors may point at each other in a circle. The Set holds each error once, so the loop ends. The loop also visits what is added to the
 * Set while it runs. The number of visits has a limit, because a getter may make a new error each time, without end. MongoDB's driver also
 * copies a server's answer into its error.
 */
export function findCertpinError(error: unknown): AnyCertpinError | undefined {
  const queue = new Set<unknown>([error]);
  let looked = 0;
  for (const candidate of queue) {
    for (const name of wrappers) {
      try {
        if (isCertpinError(candidate)) return candidate;
        const inner = Object(candidate)[name];
        queue.add(inner);
        if (!name.endsWith('s') || Object(inner) !== inner) continue;
        for (const one of typeof inner.values === 'function' ? inner.values() : Object.values(inner)) {
          queue.add(one);
          if (++looked > MAX_LOOKED) return undefined;
        }
      } catch {
        // a getter threw: there is nothing to find
      }
    }
    if (queue.size > MAX_LOOKED) break;
  }
  return undefined;
}
