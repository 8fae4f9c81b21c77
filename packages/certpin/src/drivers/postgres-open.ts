import type { ConnectionOptions } from 'node:tls';
import type { Opener, Pinner } from '../leaf/pinner.ts';
import { createPostgresUpgrade, isDirect, noAlpn, POSTGRES_ALPN } from '../protocols/postgres.ts';
import { demandAlpn } from '../wire/demand-alpn.ts';
import { dial } from '../wire/dial.ts';
import { type Dial, openUpgraded } from '../wire/upgrade.ts';

/** Asks the server for TLS. */
export const dialPostgres: Dial = (address, ready) => dial(address, createPostgresUpgrade(), ready);

/** Starts TLS without the upgrade request. */
const dialDirectly: Dial = (address, ready) => dial(address, undefined, ready);

/**
 * Opens connections to a PostgreSQL server, by request or directly.
 *
 * @param negotiation `sslnegotiation`, as libpq spells it. Default: `PGSSLNEGOTIATION`, then by request
 * @throws CertpinError `ERR_OPTION_INVALID` for another negotiation
 */
export function openPostgres(
  pinner: Pinner,
  tls: ConnectionOptions,
  negotiation: string | null | undefined,
  where: string,
): Opener {
  if (!isDirect(negotiation ?? process.env.PGSSLNEGOTIATION, where)) return openUpgraded(pinner, tls, dialPostgres);
  const direct = { ...tls, ALPNProtocols: [POSTGRES_ALPN] };
  // Around the demand for ALPN: whoever listens for the end of an attempt must hear of this failure too.
  const open = demandAlpn(openUpgraded({ ...pinner, around: undefined }, direct, dialDirectly), POSTGRES_ALPN, noAlpn);
  return pinner.around?.(open, direct) ?? open;
}
