import { dirname } from 'node:path';
import { nameOfStore, type StorePlace } from '../config/store-place.ts';

export interface UnitOptions {
  /** The program and its first arguments: Node, and the file of the command line. */
  readonly program: readonly string[];
  /** Absolute paths. undefined: not given, so the unit does not name it. */
  readonly config: string | undefined;
  readonly file: string | undefined;
  readonly store: StorePlace;
  /** The configuration names the store, so the unit does not. */
  readonly isStoreConfigured: boolean;
  /** An absolute path. undefined: the configuration has it. */
  readonly storePinsFile: string | undefined;
}

/** The default place: the folder that systemd makes for the service. */
export const UNIT_STORE = '/var/lib/certpin-watch/watch.db';

/** A unit of systemd: `certpin watch` as a service that may read, connect, and write its own store. */
export function printUnit({ program, config, file, store, isStoreConfigured, storePinsFile }: UnitOptions): string {
  const flags = [
    ...(config === undefined ? [] : ['--config', config]),
    ...(file === undefined ? [] : ['--file', file]),
    ...(isStoreConfigured ? [] : ['--store', nameOfStore(store)]),
    ...(storePinsFile === undefined ? [] : ['--store-pins-file', storePinsFile]),
  ];
  const command = [...program, 'watch', ...flags].map((word) => quoteForUnit(word).replaceAll('$', '$$$$')).join(' ');
  return `[Unit]
Description=certpin watch: the certificates of the servers of a pins file
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart=${command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5
TimeoutStopSec=15
# A secret of the configuration: LoadCredential=webhook:/etc/certpin/webhook.secret, and in the configuration
# { "file": "/run/credentials/certpin-watch.service/webhook" }
${placeOf(store)}
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged

[Install]
WantedBy=multi-user.target
`;
}

/** The user, and the only folder that it may write. Below /var/lib, systemd makes both. A database needs no folder. */
function placeOf(store: StorePlace): string {
  if ('postgres' in store) return 'DynamicUser=yes';
  const folder = dirname(store.sqlite);
  const [, below] = /^\/var\/lib\/(.+)$/s.exec(folder) ?? [];
  if (below !== undefined) return `DynamicUser=yes\nStateDirectory=${quoteForUnit(below)}`;
  return `# The store is not below /var/lib, so its folder and its user have to be there:
# useradd --system certpin-watch; install -d -o certpin-watch -m 0700 FOLDER
User=certpin-watch
ReadWritePaths=${quoteForUnit(folder)}`;
}

/** systemd.syntax(7): a percent sign begins a specifier. In a command, and only there, a dollar sign begins a variable. */
function quoteForUnit(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    // A line end would begin another setting.
    .replace(/\p{Cc}/gu, (one) => escapeOf(one.charCodeAt(0).toString(16)));
  return /^[\w.:/@%+=,-]+$/.test(text) ? escaped : `"${escaped}"`;
}

/** `\x` is a byte, and `\u` is a character. They differ above 7f. */
function escapeOf(hex: string): string {
  return Number.parseInt(hex, 16) < 0x80 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`;
}
