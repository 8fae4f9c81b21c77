import type { UpgradeProtocol } from './contract.ts';
import { createImapUpgrade } from './imap.ts';
import { createIrcUpgrade } from './irc.ts';
import { createLdapUpgrade } from './ldap.ts';
import { createMssqlUpgrade } from './mssql.ts';
import { createMysqlUpgrade, greetsAsMysql } from './mysql.ts';
import { createPostgresUpgrade } from './postgres.ts';
import { createRdpUpgrade } from './rdp.ts';
import { createReplyUpgrade } from './reply-protocols.ts';
import { createSieveUpgrade } from './sieve.ts';
import { createTelnetUpgrade } from './telnet.ts';
import { createVncUpgrade, greetsAsVnc } from './vnc.ts';
import { createXmppUpgrade } from './xmpp.ts';

export type UpgradeName =
  | 'postgres'
  | 'mysql'
  | 'smtp'
  | 'lmtp'
  | 'pop3'
  | 'imap'
  | 'ftp'
  | 'nntp'
  | 'sieve'
  | 'irc'
  | 'telnet'
  | 'xmpp'
  | 'xmpp-server'
  | 'ldap'
  | 'mssql'
  | 'vnc'
  | 'rdp';

/** A protocol with a plaintext conversation before TLS. */
export interface ProtocolEntry {
  /** Makes the conversation with one server. Some protocols send the name by which the server is called. */
  readonly create: (host: string) => UpgradeProtocol;
  /** URL schemes and ports with this conversation before TLS. The first port is the default. */
  readonly upgrade: { readonly schemes: readonly string[]; readonly ports: readonly number[] };
  /**
   * URL schemes and ports under which the same service begins with TLS, and the ALPN name that the service expects. If a port is in both
   * lists and there is no scheme, the conversation is used.
   */
  readonly direct?: {
    readonly schemes: readonly string[];
    readonly ports: readonly number[];
    readonly alpn?: string;
  };
  /**
   * Gets everything that a server has said so far without being asked. @returns whether it speaks this protocol. If a greeting fits several
   * protocols, each is tried in the order of this table. Protocols without this function, in which the client speaks first, are tried at
   * servers that say nothing.
   */
  readonly greets?: (greeting: Uint8Array) => boolean;
  /** In a URL of this protocol, `host` and `port` of the query take precedence over those before it. */
  readonly hostInQuery?: true;
}

/** Whether a greeting has begun in a way that only this protocol uses, or few others. */
const says =
  (beginning: RegExp) =>
  (greeting: Uint8Array): boolean =>
    beginning.test(Buffer.from(greeting).toString('latin1'));

/** Every upgrade that the probe knows. The ports are IANA's; XMPP's ports for immediate TLS are from XEP-0368. */
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
  ldap: {
    create: createLdapUpgrade,
    upgrade: { schemes: ['ldap', 'ldap+starttls'], ports: [389] },
    direct: { schemes: ['ldaps'], ports: [636] },
  },
  mssql: {
    create: createMssqlUpgrade,
    upgrade: { schemes: ['mssql', 'sqlserver'], ports: [1433] },
    direct: { schemes: ['mssql-strict'], ports: [1433], alpn: 'tds/8.0' },
  },
  vnc: {
    create: createVncUpgrade,
    upgrade: { schemes: ['vnc'], ports: [5900, 5901, 5902, 5903] },
    greets: greetsAsVnc,
  },
  rdp: {
    create: createRdpUpgrade,
    upgrade: { schemes: ['rdp'], ports: [3389] },
  },
  smtp: {
    create: () => createReplyUpgrade('smtp'),
    upgrade: { schemes: ['smtp'], ports: [25, 587] },
    direct: { schemes: ['smtps'], ports: [465] },
    greets: says(/^220[ -](?![^\n]*(?:FTP|LMTP))[^\n]*\n/i),
  },
  lmtp: {
    create: () => createReplyUpgrade('lmtp'),
    upgrade: { schemes: ['lmtp'], ports: [24] },
    greets: says(/^220[ -][^\n]*LMTP[^\n]*\n/i),
  },
  pop3: {
    create: () => createReplyUpgrade('pop3'),
    upgrade: { schemes: ['pop3'], ports: [110] },
    direct: { schemes: ['pop3s'], ports: [995] },
    greets: says(/^(?:\+OK|-ERR)/),
  },
  imap: {
    create: createImapUpgrade,
    upgrade: { schemes: ['imap'], ports: [143] },
    direct: { schemes: ['imaps'], ports: [993] },
    greets: says(/^\* (?:OK|PREAUTH|BYE)/i),
  },
  ftp: {
    create: () => createReplyUpgrade('ftp'),
    upgrade: { schemes: ['ftp'], ports: [21] },
    direct: { schemes: ['ftps'], ports: [990] },
    greets: says(/^220[ -](?![^\n]*(?:SMTP|LMTP))[^\n]*\n/i),
  },
  nntp: {
    create: () => createReplyUpgrade('nntp'),
    upgrade: { schemes: ['nntp'], ports: [119] },
    direct: { schemes: ['nntps'], ports: [563] },
    greets: says(/^20[01] /),
  },
  sieve: {
    create: createSieveUpgrade,
    upgrade: { schemes: ['sieve'], ports: [4190] },
    greets: says(/^"IMPLEMENTATION"/i),
  },
  irc: {
    create: createIrcUpgrade,
    upgrade: { schemes: ['irc'], ports: [6667] },
    direct: { schemes: ['ircs'], ports: [6697] },
    greets: says(/^(?::\S+ )?NOTICE /),
  },
  telnet: {
    create: createTelnetUpgrade,
    upgrade: { schemes: ['telnet'], ports: [23] },
    direct: { schemes: ['telnets'], ports: [992] },
    greets: says(/^\xff[\xfb-\xfe]/),
  },
  xmpp: {
    create: (host) => createXmppUpgrade('xmpp', host),
    upgrade: { schemes: ['xmpp'], ports: [5222] },
    direct: { schemes: ['xmpps'], ports: [5223] },
  },
  'xmpp-server': {
    create: (host) => createXmppUpgrade('xmpp-server', host),
    upgrade: { schemes: ['xmpp-server'], ports: [5269] },
    direct: { schemes: ['xmpps-server'], ports: [5270] },
  },
};
