import type { UpgradeProtocol } from './contract.ts';
import { createMysqlUpgrade, greetsAsMysql } from './mysql.ts';
import { createPostgresUpgrade } from './postgres.ts';

export type UpgradeName = 'postgres' | 'mysql';

/** A protocol in which a plaintext conversation comes before TLS. */
export interface ProtocolEntry {
  /** The conversation with one server; some protocols tell it the name by which it was called. */
  readonly create: (host: string) => UpgradeProtocol;
  /** URL schemes and ports under which TLS comes by this conversation; the first port is the default. */
  readonly upgrade: { readonly schemes: readonly string[]; readonly ports: readonly number[] };
  /**
   * URL schemes and ports under which the same service begins with TLS, and the ALPN name by which it knows that it is meant. A port
   * that stands in both, without a scheme, is the upgrade's.
   */
  readonly direct?: {
    readonly schemes: readonly string[];
    readonly ports: readonly number[];
    readonly alpn?: string;
  };
  /**
   * Given all that a server has said so far, unasked: whether it is one of this protocol. Where a greeting is of several, each is tried,
   * in the order of this table. A protocol without, in which the client speaks first, is tried at servers that say nothing.
   */
  readonly greets?: (greeting: Uint8Array) => boolean;
  /** In a URL of this protocol, `host` and `port` of the query win over those before it. */
  readonly hostInQuery?: true;
}

/** Every upgrade that the probe knows. */
export const upgradeProtocols: Readonly<Record<UpgradeName, ProtocolEntry>> = {
  postgres: {
    create: createPostgresUpgrade,
    upgrade: { schemes: ['postgres', 'postgresql'], ports: [5432] },
    hostInQuery: true, // pg-connection-string, parse
  },
  mysql: {
    create: createMysqlUpgrade,
    upgrade: { schemes: ['mysql', 'mariadb'], ports: [3306] },
    greets: greetsAsMysql,
  },
};
