import type { Speech } from './conversations.ts';
import { isMongodb } from './converse-mongodb.ts';
import { asksForStartTls, isLdap, readLdapMessage } from './ldap.ts';
import { asksForTls, TDS_PRELOGIN } from './tds.ts';

/** How a script opens a connection, as seen at the genuine server. */
export interface Opening {
  readonly speech: Speech;
  /** Whether it asked for TLS. */
  readonly tls: boolean;
  /** Whether TLS is the first thing that it sends. */
  readonly atOnce?: true;
}

/** The code of SSLRequest in place of a protocol version. The code of GSSENCRequest is higher by one. */
export const POSTGRES_SSL_REQUEST = 80_877_103;
export const POSTGRES_GSS_REQUEST = 80_877_104;

/** What is said above TLS cannot be seen. At these ports it is known. */
const speechAt: ReadonlyMap<number | undefined, Speech> = new Map([
  [27_017, 'mongodb'],
  [636, 'ldap'],
  [3_269, 'ldap'], // Active Directory's global catalog
]);

/** Reads the first bytes of a connection that is passed on. */
export class OpeningWatch {
  private client = Buffer.alloc(0);
  private server = Buffer.alloc(0);
  private serverFirst = false;
  private readonly port: number | undefined;

  /** @param port of the genuine server */
  constructor(port?: number) {
    this.port = port;
  }

  hearClient(chunk: Buffer): void {
    if (this.client.length < 64) this.client = Buffer.concat([this.client, chunk]);
  }

  hearServer(chunk: Buffer): void {
    if (this.client.length === 0) this.serverFirst = true;
    if (this.server.length < 64) this.server = Buffer.concat([this.server, chunk]);
  }

  /** undefined: the bytes do not show it. */
  read(): Opening | undefined {
    const { client } = this;
    if (this.serverFirst && this.server[4] === 0x0a) {
      // A login without TLS is longer than SSLRequest, and does not have its bit CLIENT_SSL.
      return client.length < 6 ? undefined : { speech: 'mysql', tls: ((client[5] ?? 0) & 0x08) !== 0 };
    }
    if (client.length < 8) return undefined;
    if (client[0] === 0x16) return { speech: speechAt.get(this.port) ?? 'http', tls: true, atOnce: true };
    if (client[0] === TDS_PRELOGIN) return { speech: 'mssql', tls: asksForTls(client) };
    if (isMongodb(client)) return { speech: 'mongodb', tls: false };
    if (isLdap(client)) {
      const first = readLdapMessage(client);
      return { speech: 'ldap', tls: first !== undefined && asksForStartTls(first) };
    }
    const code = client.readUInt32BE(4);
    if (code === POSTGRES_SSL_REQUEST || code === POSTGRES_GSS_REQUEST) return { speech: 'postgres', tls: true };
    if (code === 0x0003_0000) return { speech: 'postgres', tls: false };
    return { speech: 'http', tls: false };
  }
}
