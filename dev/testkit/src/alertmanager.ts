import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Daemon, startDaemon } from './daemon.ts';
import { requirePackage } from './debian.ts';
import type { Minted } from './mint.ts';

/** A real Alertmanager, started for the test on a free port, with TLS of its own. */
export interface Alertmanager extends Pick<Daemon<'https'>, 'log' | 'restart' | 'stop'> {
  readonly url: string;
  /** The alerts that are there now, as Alertmanager itself reports them. */
  readonly alerts: () => Promise<readonly ShownAlert[]>;
}

export interface ShownAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly status: { readonly state: string };
}

/** Starts Debian's Alertmanager. It notifies nobody. */
export async function startAlertmanager(certificate: Minted): Promise<Alertmanager> {
  const program = requirePackage('prometheus-alertmanager', 'prometheus-alertmanager');
  const daemon = await startDaemon<'https'>({
    name: 'Alertmanager',
    certificate,
    services: ['https'],
    configure: ({ folder, ports }) => ({
      command: [
        program,
        `--config.file=${join(folder, 'alertmanager.yml')}`,
        `--web.config.file=${join(folder, 'web.yml')}`,
        `--storage.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${ports.https}`,
        '--cluster.listen-address=', // Without other instances.
      ],
      files: {
        'data/': '',
        'alertmanager.yml': 'route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n',
        'web.yml': 'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n',
      },
    }),
  });
  const { host, ports, log, restart, stop } = daemon;
  const url = `https://${host}:${ports.https}`;
  return {
    ...{ url, log, restart, stop },
    alerts: async () => {
      const [response] = (await once(get(`${url}/api/v2/alerts`, { ca: certificate.certPem }), 'response')) as [
        IncomingMessage,
      ];
      return JSON.parse(await text(response)) as readonly ShownAlert[];
    },
  };
}
