import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Minted } from '@certpin/testkit';
import { type Configuration, type Daemon, type Place, startDaemon } from '@certpin/testkit/daemon';
import { requirePackage } from '@certpin/testkit/debian';
import { configureSlapd } from '@certpin/testkit/ldap';
import { startMariadb } from '@certpin/testkit/mariadb';
import { startPostgres } from '@certpin/testkit/postgres';

/** A protocol as one of the servers speaks it. */
interface Service {
  /** The scheme of certpin's URL; it names the port in the server's configuration too. */
  readonly scheme: string;
  /** What `openssl s_client -starttls` calls the protocol; `direct`: TLS from the first byte. Default: it does not speak it. */
  readonly openssl?: string;
}

/** A server out of Debian's packages. */
export interface ServerEntry {
  readonly name: string;
  readonly services: readonly Service[];
  readonly start: (certificate: Minted) => Promise<Pick<Daemon<string>, 'ports' | 'certificateFile' | 'stop'>>;
}

interface DaemonEntry extends Omit<ServerEntry, 'start'> {
  readonly configure: (place: Place<string>) => Configuration;
}

const asRoot = process.getuid?.() === 0;

/** The servers that take a certificate from a file. None reads a file of the machine's own configuration. */
const daemons: readonly DaemonEntry[] = [
  {
    name: 'Dovecot',
    services: [
      { scheme: 'imap', openssl: 'imap' },
      { scheme: 'imaps', openssl: 'direct' },
      { scheme: 'pop3', openssl: 'pop3' },
      { scheme: 'pop3s', openssl: 'direct' },
      { scheme: 'lmtp', openssl: 'lmtp' },
      { scheme: 'sieve', openssl: 'sieve' },
    ],
    configure: ({ folder, ports }) => {
      requirePackage('dovecot-imapd', '../lib/dovecot/imap-login');
      requirePackage('dovecot-pop3d', '../lib/dovecot/pop3-login');
      requirePackage('dovecot-lmtpd', '../lib/dovecot/lmtp');
      requirePackage('dovecot-managesieved', '../lib/dovecot/managesieve-login');
      const user = asRoot
        ? []
        : [
            ...[`default_internal_user = ${me('-un')}`, `default_login_user = ${me('-un')}`],
            `default_internal_group = ${me('-gn')}`,
          ];
      const listener = (service: string, login: string, plain: string, direct?: string): string =>
        [
          `service ${service} {`,
          `  inet_listener ${login} {`,
          `    port = ${ports[plain]}`,
          '  }',
          ...(direct === undefined
            ? []
            : [`  inet_listener ${direct} {`, `    port = ${ports[direct]}`, '    ssl = yes', '  }']),
          ...(asRoot || service === 'lmtp' ? [] : ['  chroot =']),
          '}',
        ].join('\n');
      return {
        command: [requirePackage('dovecot-core', 'dovecot'), '-F', '-c', join(folder, 'dovecot.conf')],
        files: {
          'dovecot.conf': lines(
            'protocols = imap pop3 lmtp sieve',
            `base_dir = ${folder}/run`,
            `state_dir = ${folder}/state`,
            'listen = 127.0.0.1',
            'log_path = /dev/stderr',
            'ssl = yes',
            `ssl_cert = <${folder}/server.crt`,
            `ssl_key = <${folder}/server.key`,
            'passdb {\n  driver = static\n  args = nopassword=y\n}',
            ...user,
            listener('imap-login', 'imap', 'imap', 'imaps'),
            listener('pop3-login', 'pop3', 'pop3', 'pop3s'),
            listener('lmtp', 'lmtp', 'lmtp'),
            listener('managesieve-login', 'sieve', 'sieve'),
          ),
        },
      };
    },
  },
  {
    name: 'Exim',
    services: [
      { scheme: 'smtp', openssl: 'smtp' },
      { scheme: 'smtps', openssl: 'direct' },
    ],
    configure: ({ folder, ports }) => {
      requireRoot('Exim');
      return {
        command: [requirePackage('exim4-daemon-light', 'exim4'), '-bdf', '-C', join(folder, 'exim.conf')],
        files: {
          'spool/': '',
          'exim.conf': lines(
            'primary_hostname = localhost',
            'local_interfaces = 127.0.0.1',
            `daemon_smtp_ports = ${ports.smtp} : ${ports.smtps}`,
            `tls_on_connect_ports = ${ports.smtps}`,
            'tls_advertise_hosts = *',
            `tls_certificate = ${folder}/server.crt`,
            `tls_privatekey = ${folder}/server.key`,
            `spool_directory = ${folder}/spool`,
            `log_file_path = ${folder}/spool/%s.log`,
            `pid_file_path = ${folder}/spool/pid`,
          ),
        },
        owner: ownerOf('Debian-exim'),
      };
    },
  },
  {
    name: 'OpenLDAP',
    services: [
      { scheme: 'ldap', openssl: 'ldap' },
      { scheme: 'ldaps', openssl: 'direct' },
    ],
    configure: (place) => configureSlapd(place),
  },
  ...(['ftp', 'ftps'] as const).map((scheme): DaemonEntry => {
    const isDirect = scheme === 'ftps';
    return {
      name: isDirect ? 'vsftpd, with TLS from the first byte' : 'vsftpd',
      services: [{ scheme, openssl: isDirect ? 'direct' : 'ftp' }],
      configure: ({ folder, ports }) => ({
        command: [requirePackage('vsftpd', 'vsftpd'), join(folder, 'vsftpd.conf')],
        files: {
          'empty/': '',
          'vsftpd.conf': lines(
            'listen=YES',
            'background=NO',
            'listen_address=127.0.0.1',
            `listen_port=${ports[scheme]}`,
            `secure_chroot_dir=${folder}/empty`,
            `vsftpd_log_file=${folder}/log`,
            'anonymous_enable=YES',
            'ssl_enable=YES',
            'allow_anon_ssl=YES',
            `implicit_ssl=${isDirect ? 'YES' : 'NO'}`,
            'ssl_ciphers=HIGH',
            `rsa_cert_file=${folder}/server.crt`,
            `rsa_private_key_file=${folder}/server.key`,
            ...(asRoot ? [] : ['run_as_launching_user=YES']),
          ),
        },
      }),
    };
  }),
  {
    name: 'Prosody',
    services: [
      { scheme: 'xmpp', openssl: 'xmpp' },
      { scheme: 'xmpps', openssl: 'direct' },
      { scheme: 'xmpp-server', openssl: 'xmpp-server' },
      { scheme: 'xmpps-server', openssl: 'direct' },
    ],
    configure: ({ folder, ports }) => ({
      command: [requirePackage('prosody', 'prosody'), '--config', join(folder, 'prosody.cfg.lua'), '-F'],
      files: {
        'data/': '',
        'prosody.cfg.lua': lines(
          'interfaces = { "127.0.0.1" }',
          'modules_enabled = { "tls", "saslauth", "dialback" }',
          'modules_disabled = { "http", "posix" }',
          `data_path = "${folder}/data"`,
          `c2s_ports = { ${ports.xmpp} }`,
          `c2s_direct_tls_ports = { ${ports.xmpps} }`,
          `s2s_ports = { ${ports['xmpp-server']} }`,
          `s2s_direct_tls_ports = { ${ports['xmpps-server']} }`,
          `ssl = { certificate = "${folder}/server.crt", key = "${folder}/server.key" }`,
          'log = { info = "*console" }',
          'VirtualHost "localhost"',
        ),
      },
      owner: asRoot ? ownerOf('prosody') : undefined,
    }),
  },
  {
    name: 'InspIRCd',
    services: [
      { scheme: 'irc', openssl: 'irc' },
      { scheme: 'ircs', openssl: 'direct' },
    ],
    configure: ({ folder, ports }) => ({
      command: [
        ...([requirePackage('inspircd', 'inspircd'), '--nofork', '--config', join(folder, 'ircd.conf')] as const),
        ...(asRoot ? ['--runasroot'] : []),
      ],
      files: {
        'ircd.conf': lines(
          '<server name="irc.localhost" description="test" network="test">',
          '<admin name="test" nick="test" email="root@localhost">',
          `<pid file="${folder}/pid">`,
          `<path configdir="${folder}" datadir="${folder}" logdir="${folder}">`,
          '<module name="ssl_gnutls"> <module name="starttls">',
          `<sslprofile name="own" provider="gnutls" certfile="${folder}/server.crt" keyfile="${folder}/server.key">`,
          '<starttls sslprofile="own">',
          `<bind address="127.0.0.1" port="${ports.irc}" type="clients">`,
          `<bind address="127.0.0.1" port="${ports.ircs}" type="clients" sslprofile="own">`,
          '<connect name="all" allow="*" resolvehostnames="no" useident="no" localmax="100" globalmax="100">',
        ),
      },
    }),
  },
  ...(['nntp', 'nntps'] as const).map((scheme): DaemonEntry => {
    const isDirect = scheme === 'nntps';
    return {
      name: isDirect ? 'INN, with TLS from the first byte' : 'INN',
      services: [{ scheme, openssl: isDirect ? 'direct' : 'nntp' }],
      configure: ({ folder, ports }) => {
        requireRoot('INN');
        // The package's scripts read the same file as the server, and refuse machines whose name has no domain.
        const settings = { INNCONF: join(folder, 'inn.conf') };
        const text = lines(
          'domain: localdomain',
          'pathhost: localhost',
          'pathnews: /usr/lib/news',
          `pathetc: ${folder}`,
          `pathdb: ${folder}/db`,
          `pathrun: ${folder}/run`,
          `pathspool: ${folder}/spool`,
          `pathoverview: ${folder}/overview`,
          'mta: "/bin/false %s"',
          'hismethod: hisv6',
          'enableoverview: true',
          'ovmethod: tradindexed',
          `tlscertfile: ${folder}/server.crt`,
          `tlskeyfile: ${folder}/server.key`,
        );
        chmodSync(folder, 0o755);
        mkdirSync(join(folder, 'db'));
        writeFileSync(settings.INNCONF, text);
        const program = requirePackage('inn2', '../lib/news/bin/nnrpd', settings);
        return {
          command: [
            ...([program, '-D', '-f', '-n', '-b', '127.0.0.1', '-p', String(ports[scheme])] as const),
            ...['-c', join(folder, 'readers.conf'), ...(isDirect ? ['-S'] : [])],
          ],
          files: {
            ...{ 'db/': '', 'run/': '', 'spool/': '', 'overview/': '' },
            'db/active': lines('control 0000000000 0000000001 n', 'junk 0000000000 0000000001 n'),
            'db/history': '',
            'storage.conf': lines('method tradspool {', '  newsgroups: *', '  class: 0', '}'),
            'readers.conf': lines(
              'auth "all" {',
              '  default: "<anybody>"',
              '}',
              'access "all" {',
              '  newsgroups: "*"',
              '}',
            ),
          },
          // The index of the groups, without which it serves nobody.
          prepare: [join(dirname(program), 'makehistory'), '-O', '-x'],
          env: settings,
          owner: ownerOf('news'),
        };
      },
    };
  }),
  {
    name: 'stunnel',
    services: [{ scheme: 'tls', openssl: 'direct' }],
    configure: ({ folder, ports }) => ({
      command: [requirePackage('stunnel4', 'stunnel4'), join(folder, 'stunnel.conf')],
      files: {
        'stunnel.conf': lines(
          'foreground = yes',
          'pid =',
          '[front]',
          `accept = 127.0.0.1:${ports.tls}`,
          `connect = 127.0.0.1:${NOBODY}`,
          `cert = ${folder}/server.pem`,
        ),
      },
    }),
  },
  {
    name: 'HAProxy',
    services: [{ scheme: 'tls', openssl: 'direct' }],
    configure: ({ folder, ports }) => ({
      command: [requirePackage('haproxy', 'haproxy'), '-db', '-f', join(folder, 'haproxy.cfg')],
      files: {
        'haproxy.cfg': lines(
          'defaults',
          '  mode tcp',
          '  timeout client 10s',
          '  timeout server 10s',
          '  timeout connect 10s',
          'listen front',
          `  bind 127.0.0.1:${ports.tls} ssl crt ${folder}/server.pem`,
          `  server behind 127.0.0.1:${NOBODY}`,
        ),
      },
    }),
  },
  {
    name: 'TigerVNC',
    services: [{ scheme: 'vnc' }],
    configure: ({ folder, ports }) => ({
      command: [
        requirePackage('tigervnc-standalone-server', 'Xtigervnc'),
        // It is an X server too: one that no program of another machine reaches, with the first free number.
        ...['-displayfd', '1', '-nolisten', 'tcp', '-nolisten', 'unix'],
        ...['-interface', '127.0.0.1', '-rfbport', String(ports.vnc), '-SecurityTypes', 'X509None'],
        ...['-X509Cert', `${folder}/server.crt`, '-X509Key', `${folder}/server.key`],
      ],
      files: {},
    }),
  },
  {
    name: 'xrdp',
    services: [{ scheme: 'rdp' }],
    configure: ({ folder, ports }) => ({
      command: [requirePackage('xrdp', 'xrdp'), '--nodaemon', '--config', join(folder, 'xrdp.ini')],
      files: {
        'xrdp.ini': lines(
          '[Globals]',
          `port=tcp://127.0.0.1:${ports.rdp}`,
          'security_layer=tls',
          `certificate=${folder}/server.crt`,
          `key_file=${folder}/server.key`,
          '[Logging]',
          `LogFile=${folder}/log`,
          '[Channels]',
          '[Xvnc]',
          'name=none',
        ),
      },
    }),
  },
];

export const servers: readonly ServerEntry[] = [
  ...daemons.map(({ configure, ...entry }): ServerEntry => {
    const { name } = entry;
    const services = entry.services.map(({ scheme }) => scheme);
    return { ...entry, start: (certificate) => startDaemon({ name, certificate, services, configure }) };
  }),
  {
    name: 'MariaDB',
    services: [{ scheme: 'mysql', openssl: 'mysql' }],
    start: async (certificate) => {
      const { port, ...server } = await startMariadb({ certificate });
      return { ...server, ports: { mysql: port } };
    },
  },
  {
    name: 'PostgreSQL',
    services: [{ scheme: 'postgres', openssl: 'postgres' }],
    start: async (certificate) => {
      const { port, ...server } = await startPostgres({ certificate });
      return { ...server, ports: { postgres: port } };
    },
  },
];

/** The discard port: what stands behind TLS is not asked. */
const NOBODY = 9;

function lines(...text: string[]): string {
  return `${text.join('\n')}\n`;
}

/** For what Debian builds so that it listens for root only (exim's admin users, inn's innbind). */
function requireRoot(name: string): void {
  if (!asRoot) throw new Error(`${name} listens for root only: run these tests as root`);
}

/** @param flag `-un`: the name of the user; `-gn`: of the group */
function me(flag: '-un' | '-gn'): string {
  return execFileSync('id', [flag], { encoding: 'utf8' }).trim();
}

function ownerOf(user: string): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
