import type { ConnectionOptions } from 'node:tls';
import { INLINE } from '../core/form.ts';

/** Whom a connection is for: the host and the port that choose the policy, and stand in verdict and error. */
export interface ServerIdentity {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

interface Called {
  readonly options: ConnectionOptions;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** `servername`, where it is given, is the name that the caller means; Node verifies the same one. */
export function identity({ options, host, port }: Called): ServerIdentity {
  const name = options.servername || host || options.host;
  const isDefault = !INLINE && name == null && options.socket === undefined && options.path === undefined;
  return { host: isDefault ? 'localhost' : name, port: port ?? options.port };
}
