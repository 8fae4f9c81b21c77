import type { Socket } from 'node:net';
import type { Address, Pinner } from '../leaf/pinner.ts';
import { type ReadTls, withPinned } from './driver-config.ts';
import { type MssqlWay, openMssqlStream } from './mssql-stream.ts';
import { readTediousOptions, type TediousOptions } from './tedious-options.ts';

/** What certpin puts into `options`. */
export interface PinnedTediousOptions {
  /** Makes the TLS connection; the driver makes none. */
  readonly connector: (...call: never[]) => Promise<Socket>;
  /** The driver's own TLS is off. */
  readonly encrypt: false;
  /** For a copy that has lost `connector`, and for a driver that does not know it: an address from which nobody connects. */
  readonly localAddress: string;
}

/**
 * No interface has this address, so a socket cannot be bound to it, and a driver without our connector ends before it connects. What
 * stands behind the percent sign is the name of an interface to the system, and to the reader of the driver's error the reason.
 */
const LOST_CONNECTOR =
  'fe80::6365:7274:7069:6e%certpin:the-connector-was-lost.hand-on-the-whole-configuration.or-tedious-is-older-than-16.1';

/** tedious' own default, in bytes. */
const PACKET_SIZE = 4_096;

/**
 * The `options` of a tedious configuration whose connections are the pinner's. There is no plaintext path: the driver is told that nothing
 * is encrypted, and gets a stream that is.
 *
 * @param beside what stands beside the options, and counts where they do not say it
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
    // Without an error: the driver has its own for a connection that it gives up, and nobody may be listening yet.
    const giveUp = (): void => void stream.destroy();
    signal.addEventListener('abort', giveUp);
    stream.once('close', () => signal.removeEventListener('abort', giveUp));
    if (signal.aborted) giveUp();
    return stream;
  };
  return withPinned(given, { connector, encrypt: false, localAddress: LOST_CONNECTOR }, where);
}
