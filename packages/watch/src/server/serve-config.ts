import { ConfigError } from '../config/config-error.ts';
import type { WatchConfig } from '../config/read-config.ts';
import type { ReadSecret } from '../config/secret.ts';
import type { Log } from '../log.ts';
import type { PageStore } from '../store/store.ts';
import { serveWatch, type WatchServer } from './serve.ts';
import { readListenSettings } from './settings.ts';

/** The server of the pages, from the configuration. */
export interface ConfiguredServer {
  /** Reads the certificate and its key again. If they cannot be used, the old ones stay. */
  readonly reload: () => void;
  readonly close: () => Promise<void>;
}

interface Host {
  readonly store: PageStore;
  readonly log: Log;
  readonly readSecret: ReadSecret;
}

/** @throws (as a rejection) ConfigError */
export async function serveConfig(config: WatchConfig, { store, log, readSecret }: Host): Promise<ConfiguredServer> {
  const read = () => readListenSettings(config.listen, config.folder, readSecret);
  const listen = read();
  if (listen === undefined) return { reload: () => undefined, close: async () => undefined };
  const { timeZone, metricsTargets } = config;
  const onError = (error: unknown): void => log('page-failed', { error: String(error) });
  let server: WatchServer;
  try {
    server = await serveWatch({ store, listen, timeZone, metricsTargets, onError });
  } catch (error) {
    throw new ConfigError(`listen ${listen.host}:${listen.port}: ${whyNot(error as NodeJS.ErrnoException)}`);
  }
  log('listening', { url: server.url });
  return {
    close: server.close,
    reload: () => {
      try {
        const tls = read()?.tls;
        if (tls !== undefined) server.renewTls(tls);
      } catch (error) {
        log('tls-unchanged', {
          error: error instanceof ConfigError ? error.message : 'certificate or key cannot be used',
        });
      }
    },
  };
}

const listenErrors: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; --listen HOST:PORT chooses another place',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user must not listen there; ports from 1024 on are free for all',
  ENOTFOUND: 'the name is not known',
};

/** OpenSSL's own messages about an unusable certificate contain nothing of the key. */
function whyNot({ code = '', message }: NodeJS.ErrnoException): string {
  return listenErrors[code] ?? (code.startsWith('ERR_OSSL') ? 'certificate or key cannot be used' : message);
}
