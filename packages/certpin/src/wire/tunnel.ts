import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Pinner } from '../leaf/pinner.ts';
import type { UpgradeProtocol } from '../protocols/contract.ts';
import { upgradeError } from '../protocols/upgrade-errors.ts';
import { converse, dial } from './dial.ts';

/**
 * Opens a way to the server and calls `done` once, later. Destroying what it returns ends the attempt and the way.
 *
 * `greets`: the server speaks first, in plaintext. Otherwise, a byte after the proxy's consent is an injection.
 */
export type OpenTunnel = ((
  server: { readonly host: string; readonly port: number; readonly greets?: boolean },
  done: (error: Error | undefined, socket?: Socket) => void,
) => { destroy(): unknown }) & {
  /** Whether a server is reached through it. undefined: every server is. */
  readonly isFor?: ((server: ConnectionOptions) => boolean) | undefined;
};

/** The tunnel for a connection. undefined: the connection goes to the server itself. */
export function tunnelFor(tunnel: OpenTunnel | undefined, options: ConnectionOptions): OpenTunnel | undefined {
  return tunnel?.isFor?.(options) === false ? undefined : tunnel;
}

/** A proxy, and what is said to it. */
export interface ProxyWay {
  readonly address: { readonly host: string; readonly port: number };
  /** For a proxy over TLS: how it is reached, and under which options. */
  readonly secured?: { readonly pinner: Pinner; readonly tls: ConnectionOptions } | undefined;
  /** What is said to the proxy, for each server. */
  readonly createProtocol: (server: Parameters<OpenTunnel>[0]) => UpgradeProtocol;
}

/** A tunnel through the proxy, for each server. */
export function tunnelThrough({ address, secured, createProtocol }: ProxyWay): OpenTunnel {
  return (server, done) => {
    const protocol = createProtocol(server);
    const ready = (error?: Error & { readonly code?: unknown }): void => {
      if (error === undefined) done(undefined, socket);
      else done(error.code === 'ERR_CONNECTION_CLOSED' ? closedByProxy(protocol.name) : error);
    };
    const socket: Socket =
      secured === undefined
        ? dial(address, protocol, ready)
        : converse(secured.pinner.open({ ...secured.tls, ...address }), 'secureConnect', protocol, ready);
    return socket;
  };
}

/** The server was not asked yet, so the proxy has hung up, and not the server. */
function closedByProxy(protocol: string): Error {
  return upgradeError('ERR_CONNECTION_CLOSED', protocol, 'the proxy closed the connection before there was a tunnel');
}
