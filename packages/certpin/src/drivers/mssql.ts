import type { Socket } from 'node:net';
import type { Address, Pinner } from '../leaf/pinner.ts';
import { type ReadTls, withPinned } from './driver-config.ts';
import { type MssqlWay, openMssqlStream } from './mssql-stream.ts';
import { readTediousOptions, type TediousOptions } from './tedious-options.ts';

/** What certpin puts into `options`. */
export interface PinnedTediousOptions {
  /** Makes the TLS connection. The driver makes none. */
  readonly connector: (...call: never[]) => Promise<Socket>;
  /** The driver's own TLS is off. */
  readonly encrypt: false;
  /** For a copy that has lost `connector`, and for a driver that does not know it: an address from which nothing can connect. */
  readonly localAddress: string;
}

/**
 * No interface has this address, so a socket cannot be bound to it. A driver without our connector fails before it connects. To the system,
 * the text behind the percent sign is the name of an interface. To the reader of the driver's error, it is the reason.
 */
const LOST_CONNECTOR =
  'fe80::6365:7274:7069:6e%certpin:the-connector-was-lost.hand-on-the-whole-configuration.or-tedious-is-older-than-16.1';

/** tedious' own default, in bytes. */
const PACKET_SIZE = 4_096;

/**
 * The `options` of a tedious configuration that lets the pinner open the connections. There is no plaintext path: the driver is told that
 * nothing is encrypted, and gets a stream that is encrypted.
 *
 * @param beside the configuration around the options. A value there counts if `options` does not have it
 * @throws CertpinError `ERR_OPTION_INVALID`
 */
export function pinTediousOptions(
  options: TediousOptions | undefined,
  beside: Pick<TediousOptions, 'encrypt' | 'trustServerCertificate'>,
  pinner: Pinner,
  readTls: ReadTls,
  where: string,
): object {
  const { given, tls, isStrict } = readTediousOptions(options, beside, readTls, where);
  const { packetSize = PACKET_SIZE, localAddress } = given;
  const way: MssqlWay = { isStrict, packetSize, localAddress };
  const connector = async (address: Address, _lookup: unknown, signal: AbortSignal): Promise<object> => {
    const stream = openMssqlStream(pinner, tls, address, way);
    // Without an error: the driver has its own error for a connection that it gives up, and perhaps nobody listens yet.
    const giveUp = (): void => void stream.destroy();
    signal.addEventListener('abort', giveUp);
    stream.once('close', () => signal.removeEventListener('abort', giveUp));
    if (signal.aborted) giveUp();
    return stream;
  };
  return withPinned(given, { connector, encrypt: false, localAddress: LOST_CONNECTOR }, where);
}
